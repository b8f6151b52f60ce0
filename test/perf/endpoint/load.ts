import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import autocannon from 'autocannon';

/** Stock that lasts as long as any of the programs is measured. */
export const PLENTY = 1_000_000;

const CONNECTIONS = 100;
const script = fileURLToPath(new URL('wrk.lua', import.meta.url));

export interface Load {
  url: string;
  couponId: string;
  /** User ids are this and a number. */
  prefix: string;
  /** Different users; 0: every request is of a new one. */
  users: number;
  seconds: number;
}

export interface LoadFigures {
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Replies other than 2xx and 3xx. */
  refused: number;
}

/** Of the program that sends the requests: `wrk` where it is installed, because it leaves more of the machine to the servers. */
export const loadTool: 'wrk' | 'autocannon' = spawnSync('wrk', ['--version']).error ? 'autocannon' : 'wrk';

/** Keeps 100 connections busy for so long. @throws Error when a connection failed, because the figures would be of something else */
export async function load(options: Load): Promise<LoadFigures> {
  return loadTool === 'wrk' ? await byWrk(options) : await byAutocannon(options);
}

async function byWrk({ url, couponId, prefix, users, seconds }: Load): Promise<LoadFigures> {
  const path = `/coupons/${couponId}/requests`;
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', '-s', script, url, '--', path, prefix, String(users)];
  const { stdout } = await promisify(execFile)('wrk', args);
  const line = stdout.split('\n').find((one) => one.startsWith('{'))!;
  const { requests, us, p50Us, p99Us, refused, failed } = JSON.parse(line) as Record<string, number>;
  if (failed! > 0) throw new Error(`${failed} requests of wrk failed`);
  return { requests: requests!, perSecond: requests! / (us! / 1e6), p50Ms: p50Us! / 1_000, p99Ms: p99Us! / 1_000, refused: refused! };
}

async function byAutocannon({ url, couponId, prefix, users, seconds }: Load): Promise<LoadFigures> {
  let sent = 0;
  const body = (): string => {
    sent += 1;
    return JSON.stringify({ userId: `${prefix}${users > 0 ? sent % users : sent}` });
  };
  const headers = { 'content-type': 'application/json' };
  const setupRequest = (request: autocannon.Request): autocannon.Request => ({ ...request, body: body() });
  const result = await autocannon({
    url: `${url}/coupons/${couponId}/requests`,
    connections: CONNECTIONS,
    duration: seconds,
    requests: [{ method: 'POST', headers, setupRequest }],
  });
  if (result.errors > 0) throw new Error(`${result.errors} requests of autocannon failed`);
  const requests = result.requests.total;
  return {
    requests,
    perSecond: requests / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    refused: result.non2xx,
  };
}
