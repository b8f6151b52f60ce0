import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program, typeInto } from '../../../support/shells.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
  await stores.seed({ id: 'summer-2026', name: 'Of the summer' });
  await stores.seed({ id: 'winter-2026', name: 'Of the winter' });
});
afterAll(() => stores[Symbol.asyncDispose]());

const terminal = program('script');

describe.each(['bash', 'zsh', 'fish'] as const)('completion in %s', (shell) => {
  it.skipIf(terminal === null || program(shell) === null)('Tab completes commands, options, ids and scenarios', async () => {
    const shown = await typeInto(
      shell,
      ['coupon-cli hel\tmig\t', 'coupon-cli mig\t--dry\t', 'coupon-cli insp\tcoup\tsumm\t', 'coupon-cli bench chec\tsmo\t'],
      { DATABASE_URL: stores.databaseUrl, REDIS_URL: stores.redisUrl },
    );
    expect(shown).toContain('Bring the database schema up to date.');
    expect(shown).toContain('the schema is up to date');
    expect(shown).toContain('Of the summer');
    expect(shown).toContain('smoke: 400 users');
    expect(shown).not.toContain('error:');
  });
});
