import type { Send } from './submit.ts';
import { CouponError, usageError } from '../lib/errors.ts';
import { certificateNotTrusted, isCertificateFault } from '../lib/net/certificate.ts';
import { HTTP_STATUS, outcomeOfReply } from '../campaign/http-status.ts';
import type { Outcome } from '../campaign/outcome.ts';
import { httpClient, type HttpReply } from '../lib/net/http-exchange.ts';
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
  const client = httpClient({ secure: target.startsWith('https:'), connections, insecure });
  const couponUrl = new URL(`${target}/coupons/${encodeURIComponent(couponId)}`);
  const requestsUrl = new URL(`${couponUrl.href}/requests`);
  // After so many failures without an answer in between, the endpoint is taken for gone.
  const failuresAllowed = Math.max(100, 2 * connections);
  let failures = 0;

  const sendOne = async (userId: string, requestId: string): Promise<{ outcome: Outcome; ms: number }> => {
    const sentMs = performance.now();
    const outcome = await askOne(userId, requestId);
    return { outcome, ms: performance.now() - sentMs };
  };

  const askOne = async (userId: string, requestId: string): Promise<Outcome> => {
    const body = JSON.stringify({ userId });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), 'Idempotency-Key': requestId };
    try {
      const reply = await client.exchange(requestsUrl, { method: 'POST', headers, body }, timeoutMs);
      failures = 0;
      // The endpoint got no answer from its own store, and says so.
      const code = problemCode(reply.body);
      if (reply.status === HTTP_STATUS.unavailable && code === 'unknown') return 'unknown';
      // A reply without an end was cut off, and says nothing that could be relied on.
      return reply.whole ? outcomeOfReply(reply.status, code) : 'unexpected';
    } catch (error) {
      failures += 1;
      if (failures >= failuresAllowed) throw endpointDown(target, error);
      return NEVER_LEFT.has((error as NodeJS.ErrnoException).code ?? '') ? 'unsent' : 'unknown';
    }
  };

  return {
    send: (requests) => Promise.all(requests.map(({ userId, requestId }) => sendOne(userId, requestId))),

    async probe() {
      let reply: HttpReply;
      try {
        reply = await client.exchange(couponUrl, { method: 'GET' }, timeoutMs);
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

    close: () => client.close(),
  };
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
