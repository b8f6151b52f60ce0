/** A small campaign in this process, for faults that are planted in it. */
import { setTimeout as delay } from 'node:timers/promises';
import { drainPass } from '../../src/drain/pass.ts';
import type { TestEndpoint } from '../support/endpoint.ts';
import { runToEnd } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import type { TestStores } from '../support/stores.ts';
import { startLoad } from './load.ts';
import type { OracleStores, Subject } from './oracle.ts';
import { seededRandom } from './random.ts';

export const COUPON = 'planted';
export const BATCH = 20;

/** Users ask for a second or so, until `enough`; `during` happens meanwhile. */
export async function load(endpoint: TestEndpoint, total: number, during: (asked: () => number) => Promise<void>): Promise<Subject> {
  const prefix = 'user-';
  const running = startLoad({ endpoint: endpoint.url, couponIds: [COUPON], rate: 200, prefix, random: seededRandom(1) });
  await during(() => running.users);
  await running.end();
  return { coupons: [{ id: COUPON, total }], rows: running.rows, users: running.users, prefix };
}

/** A worker without faults, until it is told to stop. */
export function worker({ claims, coupons, ledger }: TestStores): { stop(): Promise<void> } {
  const stop = new AbortController();
  const options = { couponIds: [COUPON], batch: BATCH, leaseMs: 1_000, worker: 'sound', keyStyle: 'plain', scan: false };
  const running = (async () => {
    while (!stop.signal.aborted) {
      await drainPass({ claims, coupons, ledger }, options, stop.signal);
      await delay(20);
    }
  })();
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}

export function oracle({ reader, ledger, sql, redisUrl, databaseUrl }: TestStores): OracleStores {
  return { reader, ledger, sql, command: (argv) => runToEnd([...at({ redisUrl, databaseUrl }), ...argv]) };
}
