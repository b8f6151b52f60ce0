import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeadAnswer, DeadList } from '../../../src/operate/dead.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

describe('coupon-cli dead', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
    await stores.sql(`ALTER TABLE issued_coupons ADD CONSTRAINT no_bots CHECK (user_id NOT LIKE 'bot-%')`);
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: 'sale' });
    const users = ['bot-1', 'user-1', 'bot-2'];
    await stores.admission.admit(
      'sale',
      users.map((userId) => ({ userId, requestId: 'r' })),
    );
  });

  const run = (...argv: string[]) => cli([...argv, ...at(stores)]);
  const drain = () => run('drain', '--once');

  it('is what drain points at when the ledger refuses rows, while everybody else is issued', async () => {
    const drained = await drain();
    expect(drained.exitCode).toBe(0);
    expect(drained.stdout).toContain('issued 1');
    expect(drained.stdout).toContain('2 dead-lettered');
    expect(drained.stderr).toMatch(/2 users \(bot-1, …\) dead-lettered, the ledger says: 23514 .*no_bots.*`coupon-cli dead list sale`/);
    expect((await run('audit')).stdout).toContain('see `dead list sale`');
    expect((await run('inspect', 'user', 'sale', 'bot-1')).stdout).toMatch(/dead\t23514 .*no_bots/);
  });

  it('lists them with what the ledger said, and says so when there are none', async () => {
    expect((await run('dead', 'list', 'sale')).stderr).toBe('no user of coupon sale is dead-lettered\n');
    await drain();
    const { stdout, stderr } = await run('dead', 'list', 'sale');
    expect(stdout).toMatch(/bot-1\t23514 .*no_bots.*\t20\d\d-.*\t1\t1\n/);
    expect(stderr).toContain('`coupon-cli dead retry sale USER`');
    const page = await run('dead', 'list', 'sale', '--limit', '1');
    expect(page.stderr).toContain('Showing 1 of 2; go on with `coupon-cli dead list sale --after bot-1`');
    expect((await run('dead', 'list', 'sale', '--after', 'bot-1', '--json')).json<DeadList>()).toEqual({
      couponId: 'sale',
      total: 2,
      dead: [
        {
          userId: 'bot-2',
          reason: expect.stringMatching(/^23514 /),
          requestedAt: expect.stringMatching(/Z$/),
          deliveries: 1,
          faults: 1,
        },
      ],
      next: null,
    });
  });

  it('puts users back, and says for whom that was not possible', async () => {
    await drain();
    const mixed = await run('dead', 'retry', 'sale', 'bot-1', 'user-1');
    expect(mixed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(mixed.stdout).toBe('✔ coupon sale: 1 user put back into the queue\nuser user-1 is not dead-lettered\n');
    const none = await run('dead', 'retry', 'sale', 'user-1', '--json');
    expect(none.exitCode).toBe(2);
    expect(none.json<DeadAnswer<string>>()).toEqual({ couponId: 'sale', users: [{ userId: 'user-1', outcome: 'not_dead' }], done: 0 });
    expect((await run('dead', 'retry', 'sale', '--all')).stdout).toContain('1 user put back');
    expect((await run('dead', 'retry', 'sale', '--all')).stdout).toBe('no user of coupon sale is dead-lettered\n');
  });

  it('gives users up, all of them only when the coupon is named once more', async () => {
    await drain();
    expect((await run('dead', 'drop', 'sale', 'bot-1')).stdout).toBe('✔ coupon sale: 1 user dropped\n');
    const unconfirmed = await run('dead', 'drop', 'sale', '--all');
    expect(unconfirmed.exitCode).toBe(2);
    expect(unconfirmed.stderr).toMatch(/CONFIRM_NEEDED[^]*--confirm=sale/);
    expect(await stores.redis.hkeys('coupon_dead:sale')).toEqual(['bot-2']);
    expect((await run('dead', 'drop', 'sale', '--all', '--confirm=sale')).exitCode).toBe(0);
    expect(await stores.redis.hget('coupon:sale', 'stock')).toBe('99');
    expect((await run('audit')).exitCode).toBe(0);
  });

  it('leaves users alone whose request Redis has lost, until a repair has made one', async () => {
    await drain();
    const before = await stores.redis.hgetall('coupon:sale');
    await stores.redis.hdel('coupon_admitted:sale', 'bot-1');
    for (const word of ['retry', 'drop']) {
      const { exitCode, stdout } = await run('dead', word, 'sale', 'bot-1');
      expect([word, exitCode]).toEqual([word, 2]);
      expect(stdout).toContain('user bot-1 has no request on record; `coupon-cli audit --repair` makes one');
    }
    expect(await stores.redis.hkeys('coupon_dead:sale')).toContain('bot-1');
    expect(await stores.redis.hgetall('coupon:sale')).toEqual(before);
    expect((await run('audit', 'sale', '--repair')).exitCode).toBe(0);
    expect((await run('dead', 'drop', 'sale', 'bot-1')).stdout).toBe('✔ coupon sale: 1 user dropped\n');
    expect((await run('audit')).exitCode).toBe(0);
  });

  it.each([
    [['dead'], 'USAGE'],
    [['dead', 'retry', 'sale'], 'DEAD_USAGE'],
    [['dead', 'drop', 'sale', 'bot-1', '--all', '--confirm=sale'], 'DEAD_USAGE'],
    [['dead', 'list', 'no such'], 'BAD_COUPON_ID'],
    [['dead', 'list', 'none'], 'COUPON_UNKNOWN'],
    [['dead', 'list', 'sale', '--limit', '0'], 'BAD_NUMBER'],
  ])('refuses %s with %s', async (argv, code) => {
    const result = await run(...argv);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(code);
  });
});
