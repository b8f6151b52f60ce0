import type { Ledger } from '../../src/stores/postgres/ledger.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { dropDead, listDead, retryDead } from '../../src/operate/dead.ts';
import { drainPass } from '../../src/drain/pass.ts';
import type { DrainOptions } from '../../src/drain/ports.ts';
import { redisDead } from '../../src/stores/redis/dead.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const ID = 'sale';
const DRAIN: DrainOptions = { couponIds: [], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false };

describe('users whose rows the ledger refuses', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
    // What an operator's own rule looks like to the drain: a check, class 23, and a trigger, class 22.
    await stores.sql(`ALTER TABLE issued_coupons ADD CONSTRAINT no_bots CHECK (user_id NOT LIKE 'bot-%')`);
    await stores.sql(`CREATE FUNCTION no_gods() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.user_id LIKE 'god-%' THEN RAISE EXCEPTION 'too great' USING ERRCODE = '22003'; END IF; RETURN NEW; END $$`);
    await stores.sql('CREATE TRIGGER no_gods BEFORE INSERT ON issued_coupons FOR EACH ROW EXECUTE FUNCTION no_gods()');
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: ID, total: 50 });
  });

  const admit = (userIds: string[]) =>
    stores.admission.admit(
      ID,
      userIds.map((userId) => ({ userId, requestId: 'r' })),
    );
  const drain = async (ledger: Ledger = stores.ledger, batch = 100) =>
    (await drainPass({ claims: stores.claims, coupons: stores.coupons, ledger }, { ...DRAIN, batch }, new AbortController().signal))[0]!;
  const findings = async () => {
    const ports = { reader: stores.reader, ledger: stores.ledger, clock: systemClock };
    return (await audit(ports, { couponIds: [], scan: true, keyStyle: 'plain' })).findings;
  };
  const ports = () => ({
    dead: redisDead(stores.connection, 'plain'),
    reader: stores.reader,
    ledger: stores.ledger,
    keyStyle: 'plain',
  });
  const list = (limit = 50, after: string | null = null) => listDead(ports(), ID, { limit, after });
  const issued = async () => (await stores.sql('SELECT user_id FROM issued_coupons ORDER BY user_id')).map((row) => row['user_id']);
  const stock = () => stores.redis.hget(`coupon:${ID}`, 'stock');

  it('are found by halving and dead-lettered with what the ledger said; everybody else is issued in the same pass', async () => {
    const good = Array.from({ length: 40 }, (_, i) => `user-${String(i).padStart(2, '0')}`);
    await admit([...good.slice(0, 7), 'bot-1', ...good.slice(7, 30), 'god-1', 'bot-2', ...good.slice(30)]);
    const pass = await drain();
    expect(pass).toMatchObject({ issued: 40, dead: 3, released: 0, waiting: 0 });
    expect(pass.refused).toEqual([
      { userId: 'bot-1', reason: expect.stringMatching(/^23514 .*no_bots/) },
      { userId: 'god-1', reason: '22003 too great' },
      { userId: 'bot-2', reason: expect.stringMatching(/^23514 /) },
    ]);
    expect(await issued()).toEqual(good);
    expect(await findings()).toEqual([]);
    expect((await list()).dead).toMatchObject([
      { userId: 'bot-1', deliveries: 1, faults: 1, requestedAt: expect.stringMatching(/^20/) },
      { userId: 'bot-2', faults: 1 },
      { userId: 'god-1', faults: 1 },
    ]);
    expect(await stores.claims.backlog(ID)).toEqual({ waiting: 0, claimed: 0 });
  });

  it('cost a few statements each, not one for every user of the batch', async () => {
    await admit([...Array.from({ length: 49 }, (_, i) => `user-${i}`), 'bot-1']);
    let statements = 0;
    await drain({
      ...stores.ledger,
      issue: (...args) => {
        statements += 1;
        return stores.ledger.issue(...args);
      },
    });
    expect(statements).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(50)) + 1);
  });

  it('are not those whom another service queued at a time that no clock has: they count as asking now', async () => {
    await stores.redis.zadd(`coupon_waiting_queue:${ID}`, '1e300', 'far', 'inf', 'never');
    await stores.redis.hincrby(`coupon:${ID}`, 'stock', -2);
    await admit(['user-1']);
    expect(await drain()).toMatchObject({ issued: 3, dead: 0, timeless: ['far', 'never'] });
    expect((await list()).dead).toEqual([]);
    expect(await findings()).toEqual([]);
  });

  it('are nobody else’s fault: a store that is away, or a conflict, counts no fault', async () => {
    await admit(['user-1', 'user-2']);
    await stores.sql(`CREATE SEQUENCE tries`);
    await stores.sql(`CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'clash' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$`);
    await stores.sql('CREATE TRIGGER clash AFTER INSERT ON issued_coupons EXECUTE FUNCTION clash()');
    expect(await drain()).toMatchObject({ issued: 2, dead: 0 });
    await stores.sql('DROP TRIGGER clash ON issued_coupons');
    await admit(['user-3']);
    const away = { ...stores.ledger, issue: () => Promise.reject(new Error('connection lost')) };
    await expect(drain(away)).rejects.toThrow('connection lost');
    expect((await stores.reader.user(ID, 'user-3')).claim).toMatchObject({ deliveries: 1, faults: 0 });
    expect(await drain()).toMatchObject({ issued: 1, dead: 0 });
  });

  it('go back to their original place with retry, and are issued once the cause is mended', async () => {
    await admit(['bot-1', 'user-1', 'user-2', 'user-3']);
    await drain(stores.ledger, 2);
    expect(await retryDead(ports(), ID, ['bot-1', 'user-1', 'nobody'])).toEqual({
      couponId: ID,
      done: 1,
      users: [
        { userId: 'bot-1', outcome: 'ok' },
        { userId: 'user-1', outcome: 'not_dead' },
        { userId: 'nobody', outcome: 'not_dead' },
      ],
    });
    expect(await stores.redis.zrange(`coupon_waiting_queue:${ID}`, 0, '-1')).toEqual(['bot-1', 'user-2', 'user-3']);
    expect(await findings()).toEqual([]);
    expect(await drain()).toMatchObject({ issued: 2, dead: 1 });
    expect((await list()).dead).toMatchObject([{ userId: 'bot-1', deliveries: 2, faults: 2 }]);
    await stores.sql('ALTER TABLE issued_coupons DROP CONSTRAINT no_bots');
    expect(await retryDead(ports(), ID, null)).toMatchObject({ done: 1 });
    expect(await drain()).toMatchObject({ issued: 1, dead: 0 });
    await stores.sql(`ALTER TABLE issued_coupons ADD CONSTRAINT no_bots CHECK (user_id NOT LIKE 'bot-%') NOT VALID`);
    expect(await issued()).toEqual(['bot-1', 'user-1', 'user-2', 'user-3']);
    expect(await findings()).toEqual([]);
  });

  it('are given up with drop: the coupon is back in stock, and the user may ask again', async () => {
    await admit(['bot-1', 'user-1']);
    await drain();
    expect(await stock()).toBe('48');
    expect(await dropDead(ports(), ID, ['bot-1', 'user-1'])).toMatchObject({
      done: 1,
      users: [
        { userId: 'bot-1', outcome: 'ok' },
        { userId: 'user-1', outcome: 'issued' },
      ],
    });
    expect(await dropDead(ports(), ID, ['bot-1'])).toMatchObject({ done: 0, users: [{ outcome: 'not_dead' }] });
    expect(await stock()).toBe('49');
    expect(await list()).toEqual({ couponId: ID, total: 0, dead: [], next: null });
    expect(await findings()).toEqual([]);
    expect(await admit(['bot-1'])).toMatchObject([{ outcome: 'accepted' }]);
    expect(await findings()).toEqual([]);
  });

  it('that no key could hold are not tried again, but may be dropped', async () => {
    await stores.redis.zadd(`coupon_waiting_queue:${ID}`, 1_700_000_000, 'has space');
    await stores.redis.hincrby(`coupon:${ID}`, 'stock', -1);
    await drain();
    expect(await retryDead(ports(), ID, null)).toMatchObject({ done: 0, users: [{ userId: 'has space', outcome: 'invalid' }] });
    expect(await dropDead(ports(), ID, null)).toMatchObject({ done: 1 });
    expect(await stock()).toBe('50');
    expect(await findings()).toEqual([]);
  });

  it('are not decided about for another life of the coupon, nor buried by a worker that lost its claim', async () => {
    await admit(['bot-1']);
    const { epoch } = (await stores.ledger.coupon(ID))!;
    await stores.claims.claim(ID, { epoch, limit: 1, leaseMs: 30_000, worker: 'w' });
    const refused = (fence: number) => [{ userId: 'bot-1', fence, reason: 'test' }];
    expect(await stores.claims.bury(ID, 'another', refused(1))).toBe(0);
    expect(await stores.claims.bury(ID, epoch, refused(7))).toBe(0);
    expect(await stores.claims.bury(ID, epoch, refused(1))).toBe(1);
    expect(await stores.claims.bury(ID, epoch, refused(1))).toBe(0);
    const { dead } = ports();
    expect(await dead.retry(ID, 'another', ['bot-1'])).toEqual(['epoch']);
    expect(await dead.drop(ID, 'another', ['bot-1'])).toEqual(['epoch']);
    expect((await list()).total).toBe(1);
  });

  it('are listed page by page', async () => {
    await admit(['bot-3', 'bot-1', 'bot-2', 'user-1']);
    await drain();
    const first = await list(2);
    expect([first.total, first.next, first.dead.map((line) => line.userId)]).toEqual([3, 'bot-2', ['bot-1', 'bot-2']]);
    const second = await list(2, first.next);
    expect([second.next, second.dead.map((line) => line.userId)]).toEqual([null, ['bot-3']]);
  });
});
