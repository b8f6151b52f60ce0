import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { issueWaiting } from '../../support/issue.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: 'sale' });
  await stores.admission.admit('sale', [{ userId: 'minji', requestId: 'r' }]);
  await issueWaiting(stores, 'sale');
});

const run = (argv: string[], more: object = {}) => cli([...argv, ...at(stores)], more);
const answered = (argv: string[], stdin: string) => run(argv, { tty: true, columns: 100, stdin });
const close = () => run(['close', 'sale']);
const dead = async () => {
  await stores.redis.hset('coupon_admitted:sale', 'bot', '1700000000000000:r');
  await stores.redis.hincrby('coupon:sale', 'stock', -1);
  await stores.redis.hset('coupon_dead:sale', 'bot', 'invalid');
};
/** A backup of Redis from before a reset is restored. */
const earlierLife = async () => {
  const keys = await stores.redis.keys('*');
  const former = await Promise.all(keys.map(async (key) => [key, await stores.redis.dumpBuffer(key)] as const));
  await run(['seed', 'sale', '--name', 'S', '--stock', '5', '--reset', '--confirm=sale']);
  await stores.redis.flushdb();
  for (const [key, value] of former) await stores.redis.restore(key, 0, value);
};

const KINDS: [string, string[], string, string, () => Promise<unknown>][] = [
  ['purge', ['purge', 'sale', '--force'], 'sale', 'Type sale to go on', close],
  ['a reset', ['seed', 'sale', '--name', 'S', '--stock', '5', '--reset'], 'sale', 'Type sale to go on', async () => undefined],
  ['dead drop --all', ['dead', 'drop', 'sale', '--all'], 'sale', 'Type sale to go on', dead],
  ['forget', ['forget', 'minji'], 'yes', 'yes or no', async () => undefined],
];

describe('what cannot be undone', () => {
  it.each(KINDS)('%s asks on a terminal, and does it after the right answer', async (_what, argv, answer, question, before) => {
    await before();
    const done = await answered(argv, `${answer}\n`);
    expect(done.stderr).toContain(question);
    expect(done.exitCode).toBe(0);
  });

  it.each(KINDS)('%s is left undone after any other answer', async (_what, argv, _answer, _question, before) => {
    await before();
    const keys = await stores.redis.dbsize();
    for (const other of ['\n', 'other\n']) expect((await answered(argv, other)).stderr).toContain('[NOT_CONFIRMED]');
    expect(await stores.redis.dbsize()).toBe(keys);
  });

  it.each(KINDS)('%s is refused where nobody can be asked', async (_what, argv, answer, _question, before) => {
    await before();
    const flag = answer === 'yes' ? '--confirm' : '--confirm=sale';
    const refused = await run(argv);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`CONFIRM_NEEDED[^]*${flag}`));
    expect((await run([...argv, '--json'], { tty: true, stdin: `${answer}\n` })).exitCode).toBe(2);
  });

  it.each(KINDS.filter(([, , answer]) => answer === 'sale'))('%s is refused with another id, on a terminal too', async (_what, argv) => {
    await close();
    expect((await answered([...argv, '--confirm=winter'], 'sale\n')).stderr).toContain('[CONFIRM_NEEDED]');
  });

  it('a repair that deletes users names them, asks, and goes on', async () => {
    await earlierLife();
    expect((await answered(['audit', 'sale', '--repair'], 'no\n')).stderr).toContain('[NOT_CONFIRMED]');
    expect(await stores.redis.hlen('coupon_admitted:sale')).toBe(1);
    const piped = await run(['audit', 'sale', '--repair']);
    expect(piped.exitCode).toBe(4);
    expect(piped.stdout).toContain('Not done without --confirm');
    const done = await answered(['audit', 'sale', '--repair'], 'yes\n');
    expect(done.stderr).toContain('Delete 1 user, as named above, for good? yes or no');
    expect(done.stdout).toContain('Deleted with --confirm: 1 user of coupon sale');
    expect(await stores.redis.exists('coupon_admitted:sale')).toBe(0);
  });
});
