import { systemClock } from '../../src/lib/clock.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditPorts } from '../../src/audit/ports.ts';
import { pacedReads } from '../../src/audit/paced-reads.ts';
import { issueWaiting } from '../support/issue.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const ID = 'sale';
const USERS = ['user-1', 'user-2'];

describe('reads at a pace', () => {
  let stores: TestStores;
  /** What happened, in order. */
  let log: string[];
  let pauses: number;
  let looks: number;
  /** Holds every rest until it is settled. */
  let gate: Promise<void> | null;
  let paced: AuditPorts;

  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: ID, total: 1_000_000 });
    [log, pauses, looks, gate] = [[], 0, 0, null];
    const { reader, ledger } = stores;
    const logged =
      <A extends unknown[], R>(name: string, read: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        log.push(name);
        return read(...args).finally(() => log.push(`/${name}`));
      };
    const coupons = async (): ReturnType<typeof ledger.coupons> => {
      looks += 1;
      return ledger.coupons();
    };
    paced = pacedReads({
      reader: { ...reader, users: logged('users', reader.users), now: logged('now', reader.now) },
      ledger: { ...ledger, coupons, rows: logged('rows', ledger.rows) },
      clock: {
        ...systemClock,
        sleep: async () => {
          pauses += 1;
          log.push('rest');
          await gate;
          log.push('/rest');
        },
      },
    });
  });

  const count = (entry: string): number => log.filter((one) => one === entry).length;
  /** Ends with the last rest. */
  const settle = async (): Promise<void> => {
    await until(() => count('rest') === count('/rest'));
    log.length = 0;
  };
  let admitted = 0;
  /** Reads and issues until that was noticed; its traces are removed. */
  const goLive = async (): Promise<void> => {
    await until(async () => {
      await stores.admission.admit(ID, [{ userId: `early-${(admitted += 1)}`, requestId: 'r' }]);
      await issueWaiting(stores, ID);
      await paced.reader.now();
      return looks >= 3;
    });
    await settle();
  };

  it('overlap, and are followed by no rest, while nothing is issued', async () => {
    await until(async () => {
      await paced.reader.now();
      return looks >= 2;
    });
    await settle();
    pauses = 0;
    await until(async () => {
      await Promise.all([paced.reader.users(ID, USERS), paced.ledger.rows(ID, USERS)]);
      return looks >= 4;
    });
    expect(pauses).toBe(0);
    expect(log.slice(0, 2)).toEqual(['users', 'rows']);
  });

  it('go one by one as long as nobody knows', async () => {
    await Promise.all([paced.reader.users(ID, USERS), paced.ledger.rows(ID, USERS)]);
    expect(log.slice(0, 4)).toEqual(['users', '/users', 'rest', '/rest']);
  });

  it('go one by one, in their order and with a rest after each, while a sale is live', async () => {
    await goLive();
    let endRest = (): void => undefined;
    gate = new Promise((resolve) => (endRest = resolve));
    const reads = Promise.all([paced.reader.users(ID, USERS), paced.reader.now(), paced.ledger.rows(ID, USERS)]);
    await until(() => log.includes('rest'));
    await stores.ledger.coupons(); // the others had their time
    expect(log).toEqual(['users', '/users', 'rest']);
    endRest();
    gate = null;
    await reads;
    await until(() => count('/rest') === 3);
    expect(log).toEqual(['users', 'now', 'rows'].flatMap((name) => [name, `/${name}`, 'rest', '/rest']));
  });

  it('go on after one that failed, which is told to whoever asked for it', async () => {
    await goLive();
    const failing = paced.ledger.rows('not\0text', USERS);
    const next = paced.reader.now();
    await expect(failing).rejects.toThrow(/^PostgreSQL at /);
    expect(await next).toBeGreaterThan(0);
  });

  it('take turns along a walk, too', async () => {
    await goLive();
    const userIds: string[] = [];
    for await (const chunk of paced.reader.walk(ID, 'admitted')) userIds.push(...chunk);
    expect(userIds).toContain(`early-${admitted}`);
    expect(log).toContain('rest');
  });

  it('are as before when the sale is over', async () => {
    await goLive();
    await until(async () => {
      const before = pauses;
      await paced.reader.now();
      return pauses === before;
    });
    log.length = 0;
    await Promise.all([paced.reader.users(ID, USERS), paced.ledger.rows(ID, USERS)]);
    expect(log.slice(0, 2)).toEqual(['users', 'rows']);
  });
});
