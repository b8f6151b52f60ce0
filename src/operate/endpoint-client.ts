import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Send } from './submit.ts';
import { CouponError, usageError } from '../lib/errors.ts';
import { certificateNotTrusted, isCertificateFault } from '../lib/certificate.ts';
import { HTTP_STATUS, outcomeOfReply } from '../campaign/http-status.ts';
import type { Outcome } from '../campaign/outcome.ts';
import { ReplyBody, REPLY_LIMIT_BYTES } from '../lib/reply-body.ts';
import { command } from '../lib/text/suggested-command.ts';

export interface EndpointClient {
  /** Sends each request as a POST of its own, with its request id as Idempotency-Key. */
  send: Send;
  /**
   * One harmless GET before the first request.
   *
   * @throws CouponError `ENDPOINT_DOWN`, `COUPON_UNKNOWN`, `CERTIFICATE_NOT_TRUSTED`
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
  /** Take any certificate of an https target. */
  insecure?: boolean;
  /** Milliseconds until the answer to one request counts as lost. */
  timeoutMs?: number;
}

interface Reply {
  status: number;
  body: string;
  /** False: it went on for too long, and was cut off. */
  whole: boolean;
}

const TIMEOUT_MS = 10_000;
/** Nothing left this machine when connecting itself failed. */
const NEVER_LEFT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EMFILE']);

/**
 * Requests for one coupon, to any endpoint that speaks like ours. No request is sent twice: a load test must not
 * paper over its lost replies.
 */
export function endpointClient({
  target,
  couponId,
  connections,
  insecure = false,
  timeoutMs = TIMEOUT_MS,
}: EndpointOptions): EndpointClient {
  const secure = target.startsWith('https:');
  const agentOptions = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  const agent = secure ? new HttpsAgent({ ...agentOptions, rejectUnauthorized: !insecure }) : new HttpAgent(agentOptions);
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
      const code = problemCode(reply.body);
      if (reply.status === HTTP_STATUS.unavailable && code === 'unknown') return { outcome: 'unknown' };
      // A reply without an end was cut off, and says nothing that could be relied on.
      return { outcome: reply.whole ? outcomeOfReply(reply.status, code) : 'unexpected' };
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
  const body = new ReplyBody();
  let received = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    body.add(chunk);
    received += chunk.length;
    // Leaving the loop destroys the connection.
    if (received > REPLY_LIMIT_BYTES) break;
  }
  const { statusCode = 0, headers } = incoming;
  return { status: statusCode, body: body.text(headers['content-type'] ?? null), whole: received <= REPLY_LIMIT_BYTES };
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
  if (isCertificateFault(code)) return certificateNotTrusted(target, { code, message });
  return new CouponError({
    code: 'ENDPOINT_DOWN',
    kind: 'unreachable',
    message: `the endpoint ${target} does not answer`,
    why: message || code,
    fix: 'Start it (`coupon-cli serve`), or check --url.',
  });
}
