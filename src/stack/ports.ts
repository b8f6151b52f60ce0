import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { CouponError } from '../lib/errors.ts';

/**
 * Below the range from which systems take the ports of outgoing connections (32768 and up on Linux): a load test opens thousands of
 * those, and one of them would sit on our port just when a server has to come back.
 */
const FIRST = 20_000;
const COUNT = 12_000;
const TRIES = 200;

/** A free port on loopback; the same one again for the same seed as long as it is free. */
export async function freePort(seed: string): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const digest = createHash('sha256').update(`${seed} ${attempt}`).digest();
    const port = FIRST + (digest.readUInt32BE(0) % COUNT);
    if (await isFree(port)) return port;
  }
  throw new CouponError({
    code: 'NO_FREE_PORT',
    kind: 'unreachable',
    message: `no free port on 127.0.0.1 after ${TRIES} tries`,
    fix: 'End programs that hold many ports; `ss -ltn` lists them.',
  });
}

export async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.on('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
