import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Probe, ProbeResult, TlsTrust } from '../ports.ts';
import { certificateNotTrusted, isCertificateFault } from '../../lib/net/certificate.ts';
import type { ProbePlan } from '../scenario/verify.ts';
import { CouponError } from '../../lib/errors.ts';
import { lookup } from '../../lib/net/loopback.ts';

const TIMEOUT_MS = 5_000;
/** A reply is not read beyond this: its status is all that is asked for. */
const BODY_LIMIT_BYTES = 65_536;
const ANYBODY: ProbePlan = { path: '/readyz', status: null };

/** One harmless GET before the load: is anybody there at all, and is it who we think? */
export const httpProbe: Probe = {
  async probe(target, { path, status } = ANYBODY, { tls, signal } = {}) {
    signal?.throwIfAborted();
    const result = await ask(target, path, tls, signal);
    if (status === null || status.includes(result.status)) return result;
    throw new CouponError({
      code: 'BENCH_PROBE_REFUSED',
      kind: 'unreachable',
      message: `GET ${target}${path} answered ${result.status}, and the scenario expects ${status.join(' or ')}; nothing was sent`,
      fix: 'Wait until the service is ready, or correct `probe` in the scenario.',
    });
  },
};

async function ask(target: string, path: string, tls: TlsTrust | undefined, signal: AbortSignal | undefined): Promise<ProbeResult> {
  try {
    return await once(`${target}${path}`, tls, signal);
  } catch (error) {
    signal?.throwIfAborted();
    const { code = 'no answer', message } = error as NodeJS.ErrnoException;
    if (isCertificateFault(code)) throw certificateNotTrusted(target, { code, message });
    throw new CouponError({
      code: 'BENCH_TARGET_DOWN',
      kind: 'unreachable',
      message: `${said(code, target)} (${code}); nothing was sent`,
      fix: 'Start it with `coupon-cli serve`, name another address with --url, or let bench start a server of its own with --stack.',
      cause: error,
    });
  }
}

/** A server that speaks something else is not absent, and its operator looks for another mistake. */
function said(code: string, target: string): string {
  if (code.startsWith('HPE_')) return `what answers at ${target} does not speak HTTP/1.1`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return `what answers at ${target} does not speak TLS`;
  return `nothing answers at ${target}`;
}

/** The time limit is for all of it: silence, slow headers, and a body without an end. */
function once(url: string, tls: TlsTrust | undefined, signal: AbortSignal | undefined): Promise<ProbeResult> {
  const started = performance.now();
  const get = url.startsWith('https:') ? httpsGet : httpGet;
  const trust = { rejectUnauthorized: !tls?.insecure, ...(tls?.ca ? { ca: tls.ca } : {}) };
  return new Promise((resolve, reject) => {
    let reply: IncomingMessage | null = null;
    const answered = ({ statusCode = 0, headers }: IncomingMessage): void => {
      resolve({ status: statusCode, ms: performance.now() - started, closesConnections: /close/i.test(headers.connection ?? '') });
      request.destroy();
    };
    const options = { agent: false as const, lookup, headers: { connection: 'keep-alive' }, ...trust, ...(signal ? { signal } : {}) };
    const request = get(url, options, (incoming) => {
      reply = incoming;
      let received = 0;
      incoming.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > BODY_LIMIT_BYTES) answered(incoming);
      });
      incoming.on('error', reject);
      incoming.on('end', () => answered(incoming));
    });
    const timer = setTimeout(() => {
      if (reply) answered(reply);
      else request.destroy(Object.assign(new Error('timeout'), { code: 'no answer in 5 s' }));
    }, TIMEOUT_MS);
    request.on('close', () => clearTimeout(timer));
    request.on('error', reject);
  });
}
