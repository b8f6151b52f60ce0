import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Send } from './submit.ts';
import { CouponError, usageError } from '../lib/errors.ts';
import { HTTP_STATUS, outcomeOfStatus } from '../campaign/http-status.ts';
import type { Outcome } from '../campaign/outcome.ts';
import { command } from '../lib/suggested-command.ts';

export interface EndpointClient {
  /** Sends each request as a POST of its own, with its request id as Idempotency-Key. */
  send: Send;
  /**
   * One harmless GET before the first request.
   *
   * @throws CouponError `ENDPOINT_DOWN`, `COUPON_UNKNOWN`
   */
  probe(): Promise<void>;
  close(): void;
}

export interface EndpointOptions {
  /** Scheme, host, port and perhaps a path, without a trailing slash. */
  target: string;
  couponId: string;
  /** Connections that are kept. */
  connections: number;
  /** Milliseconds until the answer to one request counts as lost. */
  timeoutMs?: number;
}

interface Reply {
  status: number;
  body: string;
}

const TIMEOUT_MS = 10_000;
/** A reply's body beyond this is read and forgotten: only the code of a problem document is of interest. */
const BODY_CHARS = 4_096;
/** Nothing left this machine when connecting itself failed. */
const NEVER_LEFT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EMFILE']);

/**
 * Requests for one coupon, to any endpoint that speaks like ours. No request is sent twice: whoever measures a service must not
 * paper over its lost replies.
 */
export function endpointClient({ target, couponId, connections, timeoutMs = TIMEOUT_MS }: EndpointOptions): EndpointClient {
  const secure = target.startsWith('https:');
  const agentOptions = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const start = secure ? httpsRequest : httpRequest;
  const couponUrl = new URL(`${target}/coupons/${encodeURIComponent(couponId)}`);
  const requestsUrl = new URL(`${couponUrl.href}/requests`);
  // After so many failures without an answer in between, the endpoint is taken for gone.
  const failuresAllowed = Math.max(100, 2 * connections);
  let failures = 0;

  const exchange = (url: URL, method: string, headers: Record<string, string | number>, body: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const outgoing = start(url, { method, agent, headers }, (incoming) => void readReply(incoming).then(resolve, reject));
      // A timer of the whole exchange: the socket's own starts anew with every byte.
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const sendOne = async (userId: string, requestId: string): Promise<{ outcome: Outcome }> => {
    const body = JSON.stringify({ userId });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), 'Idempotency-Key': requestId };
    try {
      const reply = await exchange(requestsUrl, 'POST', headers, body);
      failures = 0;
      // The endpoint got no answer from its own store, and says so.
      if (reply.status === HTTP_STATUS.unavailable && problemCode(reply.body) === 'unknown') return { outcome: 'unknown' };
      return { outcome: outcomeOfStatus(reply.status) };
    } catch (error) {
      failures += 1;
      if (failures >= failuresAllowed) throw endpointDown(target, error);
      return { outcome: NEVER_LEFT.has((error as NodeJS.ErrnoException).code ?? '') ? 'unsent' : 'unknown' };
    }
  };

  return {
    send: (requests) => Promise.all(requests.map(({ userId, requestId }) => sendOne(userId, requestId))),

    async probe() {
      let reply: Reply;
      try {
        reply = await exchange(couponUrl, 'GET', {}, '');
      } catch (error) {
        throw endpointDown(target, error);
      }
      // Another service may not have this route, and say so in words of its own; only our own words count.
      if (reply.status === 404 && problemCode(reply.body) === 'unknown_coupon') {
        throw usageError(
          'COUPON_UNKNOWN',
          `the endpoint has no coupon ${couponId}`,
          `${command`seed ${couponId} --name … --stock …`} makes one.`,
        );
      }
    },

    close: () => agent.destroy(),
  };
}

async function readReply(incoming: IncomingMessage): Promise<Reply> {
  let body = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming as AsyncIterable<string>) if (body.length < BODY_CHARS) body += chunk;
  return { status: incoming.statusCode ?? 0, body };
}

function problemCode(body: string): unknown {
  try {
    return (JSON.parse(body) as { code?: unknown } | null)?.code;
  } catch {
    return undefined;
  }
}

function endpointDown(target: string, error: unknown): CouponError {
  const { code = '', message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  return new CouponError({
    code: 'ENDPOINT_DOWN',
    kind: 'unreachable',
    message: `the endpoint ${target} does not answer`,
    why: message || code,
    fix: 'Start it (`coupon-cli serve`), or check --url.',
  });
}
