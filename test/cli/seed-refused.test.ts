import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { at, cli } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const FILE = `coupons:
  - {id: ev3, name: Three, total: 30}
  - {id: ev1, name: One, total: 10}
  - {id: ev4, name: Four, total: 40}
`;
const NEW = ['seed', 'ev1', '--name', 'One', '--stock', '10'];

describe('a seed that is refused', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const run = (argv: string[], flags: string[] = []) => cli([...at(stores), ...flags, ...argv], { stdin: FILE });
  const snapshot = async () => {
    const keys = (await stores.redis.keys('*')).toSorted();
    return JSON.stringify([
      await Promise.all(keys.map(async (key) => [key, await stores.redis.dump(key)])),
      await stores.sql('SELECT coupons::text AS row FROM coupons ORDER BY 1'),
    ]);
  };

  it('because of one coupon of a file shows the plan for all, changes nothing, and ends as its dry run does', async () => {
    await stores.seed({ id: 'ev1', name: 'One', total: 7 });
    const before = await snapshot();
    const dry = await run(['seed', '--file', '-', '--dry-run']);
    expect(await snapshot()).toBe(before);
    const real = await run(['seed', '--file', '-']);
    expect(await snapshot()).toBe(before);
    expect([dry.exitCode, real.exitCode]).toEqual([2, 2]);
    for (const text of [dry.stdout, real.stderr]) {
      expect(text).toMatch(/ev3\s+30\s+create\s/);
      expect(text).toMatch(/ev1\s+10\s+refused\s+SEED_CONFLICT: stock: 7 there, 10 asked for\n/);
      expect(text).toMatch(/ev4\s+40\s+create\s/);
      expect(text).toContain('3 coupons: create 2, refused 1; nothing is written unless all can be');
    }
    expect(real.stdout).toBe('');
    expect(dry.stderr).toContain('[SEED_CONFLICT]');
    const json = await run(['--json', 'seed', '--file', '-', '-n']);
    expect(json.json()).toMatchObject({ dryRun: true, coupons: [{ action: 'create' }, { action: 'refused', code: 'SEED_CONFLICT' }, {}] });
    expect(JSON.parse(json.stderr)).toMatchObject({ exitCode: 2, error: { code: 'SEED_CONFLICT' } });
  });

  it('is none where the file fits: plan and run have the same counts', async () => {
    await stores.seed({ id: 'ev1', name: 'One', total: 10 });
    expect((await run(['seed', '--file', '-', '-n'])).stdout).toContain('3 coupons: create 2, unchanged 1');
    expect((await run(['seed', '--file', '-'])).stdout).toContain('3 coupons: created 2, unchanged 1');
  });

  it.each([
    ['coupon:ev1', () => stores.redis.hset('coupon:ev1', 'name', 'summer', 'total', 10, 'stock', 5)],
    ['coupon_waiting_queue:ev1', () => stores.redis.zadd('coupon_waiting_queue:ev1', 1, 'theirs')],
    ['coupon_dead:ev1', () => stores.redis.hset('coupon_dead:ev1', 'u', 'why')],
  ])('because a third-party service has %s leaves no half coupon behind, and the dry run says so too', async (_key, write) => {
    await write();
    const before = await snapshot();
    for (const argv of [[...NEW, '--dry-run'], NEW]) {
      const result = await run(argv);
      expect(result.exitCode).toBe(2);
      expect(result.stderr).toContain('[REDIS_KEYS_TAKEN]');
    }
    expect(await snapshot()).toBe(before);
  });

  it.each([
    ['eval', ['-eval', '-evalsha']],
    ['hset', ['-hset']],
    ['sadd', ['-sadd']],
  ])('because its Redis user lacks %s leaves nothing behind', async (_what, denied) => {
    const user = `seeder-${Math.random().toString(36).slice(2)}`;
    await stores.redis.call('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@all', ...denied);
    const url = new URL(stores.redisUrl);
    [url.username, url.password] = [user, 'pw'];
    try {
      const before = await snapshot();
      for (const argv of [[...NEW, '--dry-run'], NEW, ['seed', '--file', '-']]) {
        const result = await run(argv, ['--redis-url', url.href]);
        expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[REDIS_AUTH]') });
      }
      expect(await snapshot()).toBe(before);
    } finally {
      await stores.redis.call('ACL', 'DELUSER', user);
    }
  });

  it.each(['INSERT', 'UPDATE'])('because its database role lacks %s leaves nothing behind', async (lacking) => {
    const role = `seeder_${Math.random().toString(36).slice(2)}`;
    const rights = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'].filter((right) => right !== lacking).join(', ');
    await stores.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
    await stores.sql(`GRANT ${rights} ON coupons TO ${role}`);
    await stores.sql(`GRANT SELECT ON coupon_migrations TO ${role}`);
    const url = new URL(stores.databaseUrl);
    [url.username, url.password] = [role, 'pw'];
    try {
      const before = await snapshot();
      for (const argv of [[...NEW, '--dry-run'], NEW, ['seed', '--file', '-']]) {
        const result = await run(argv, ['--database-url', url.href]);
        expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[DATABASE_PERMISSION]') });
      }
      expect(await snapshot()).toBe(before);
    } finally {
      await stores.sql(`DROP OWNED BY ${role}`);
      await stores.sql(`DROP ROLE ${role}`);
    }
  });

  it('before a reset deletes nothing', async () => {
    await stores.seed({ id: 'ev1', name: 'One', total: 10 });
    await stores.redis.call('ACL', 'SETUSER', 'half', 'on', '>pw', '~*', '+@all', '-hset');
    const url = new URL(stores.redisUrl);
    [url.username, url.password] = ['half', 'pw'];
    try {
      const before = await snapshot();
      expect((await run([...NEW, '--reset', '--confirm=ev1'], ['--redis-url', url.href])).exitCode).toBe(2);
      expect(await snapshot()).toBe(before);
    } finally {
      await stores.redis.call('ACL', 'DELUSER', 'half');
    }
  });
});

describe('a Redis with coupons of a third-party service alone', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
    await stores.redis.hset('coupon:2', 'name', 'summer', 'total', 10, 'stock', 5);
    await stores.redis.zadd('coupon_waiting_queue:3', 1, 'u');
    await stores.redis.hset('issued_coupon:coupon:4-user:u', 'userId', 'u');
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  it.each(['inspect', 'audit'])('%s says that it is not empty', async (command) => {
    const { exitCode, stdout, stderr } = await cli([...at(stores), command]);
    // A list says it beside its rows, a report in it.
    expect({ exitCode, text: command === 'inspect' ? stderr : stdout }).toEqual({
      exitCode: 0,
      text: 'no coupon was seeded here; Redis holds 3 keys of other programs, and `coupon-cli audit --scan` looks for coupons among them\n',
    });
  });

  it('audit --scan names them', async () => {
    const { stdout } = await cli([...at(stores), 'audit', '--scan']);
    expect(stdout).toContain('not_seeded_here: 3');
    expect(stdout).toContain('2, 3, 4');
    expect(stdout).toContain('no coupon was compared');
    expect((await cli([...at(stores), '--json', 'audit', '--scan'])).json()).toMatchObject({
      ok: true,
      notes: [{ code: 'not_seeded_here', count: 3, sample: ['2', '3', '4'] }],
    });
    await stores.seed({ id: 'ours' });
    expect((await cli([...at(stores), 'audit', '--scan'])).stdout).toMatch(/not_seeded_here: 3[^]*both stores agree: 1 coupon/);
  });
});
