import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Probe, ProbeResult } from '../ports.ts';
import type { ProbePlan } from '../scenario/verify.ts';
import { CouponError } from '../../lib/errors.ts';

const TIMEOUT_MS = 5_000;
const ANYBODY: ProbePlan = { path: '/readyz', status: null };

/**
 * One harmless GET before the load: is anybody there at all, and is it who we think? Certificates are not verified, as autocannon
 * does not either.
 */
export const httpProbe: Probe = {
  async probe(target, { path, status } = ANYBODY) {
    const result = await ask(target, path);
    if (status === null || status.includes(result.status)) return result;
    throw new CouponError({
      code: 'BENCH_PROBE_REFUSED',
      kind: 'unreachable',
      message: `GET ${target}${path} answered ${result.status}, and the scenario expects ${status.join(' or ')}; nothing was sent`,
      fix: 'Wait until the service is ready, or correct `probe` in the scenario.',
    });
  },
};

async function ask(target: string, path: string): Promise<ProbeResult> {
  try {
    return await once(`${target}${path}`, performance.now());
  } catch (error) {
    const { code = 'no answer' } = error as NodeJS.ErrnoException;
    throw new CouponError({
      code: 'BENCH_TARGET_DOWN',
      kind: 'unreachable',
      message: `nothing answers at ${target} (${code}); nothing was sent`,
      fix: 'Start it with `coupon-cli serve`, name another address with --url, or let bench start a server of its own with --stack.',
      cause: error,
    });
  }
}

function once(url: string, started: number): Promise<ProbeResult> {
  const get = url.startsWith('https:') ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    const options = { agent: false as const, timeout: TIMEOUT_MS, headers: { connection: 'keep-alive' }, rejectUnauthorized: false };
    const request = get(url, options, (reply) => {
      reply.resume();
      const closesConnections = /close/i.test(reply.headers.connection ?? '');
      reply.on('error', reject);
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, ms: performance.now() - started, closesConnections }));
    });
    request.on('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'no answer in 5 s' })));
    request.on('error', reject);
  });
}
