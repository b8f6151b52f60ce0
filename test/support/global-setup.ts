import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { defaultStackDir, stackDown, stackUp } from '../../src/stack/stack.ts';
import { testHost } from './host.ts';
import { keepStack } from '../../src/stack/keeper.ts';
import { watchStack } from '../matrix/witness.ts';
import { purgeOrphans } from './orphans.ts';
import { BIN } from './processes.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    databaseUrl: string;
  }
}

const clone = fileURLToPath(new URL('../../', import.meta.url));

/** One real Redis and one real PostgreSQL for the whole run: the ones named for tests, or a stack of the tests' own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cleanTemp = ownTemp();
  const host = testHost();
  const { COUPON_TEST_REDIS_URL, COUPON_TEST_DATABASE_URL, COUPON_TEST_WITNESS } = host.env;
  if (COUPON_TEST_REDIS_URL && COUPON_TEST_DATABASE_URL) {
    project.provide('redisUrl', COUPON_TEST_REDIS_URL);
    project.provide('databaseUrl', COUPON_TEST_DATABASE_URL);
    return async () => cleanTemp();
  }
  await purgeOrphans(host, clone, 'test');
  // A stack for this run alone: two runs at once must not empty each other's databases.
  const dir = defaultStackDir(host, clone, `test-${host.pid}`);
  // Before the start: a run that is killed leaves no servers behind.
  const dismiss = keepStack(host, [process.execPath, BIN], dir);
  const stack = await stackUp(host, { dir, log: (line) => console.error(line) });
  project.provide('redisUrl', stack.redisUrl);
  project.provide('databaseUrl', stack.databaseUrl);
  const testify = COUPON_TEST_WITNESS ? await watchStack(stack, COUPON_TEST_WITNESS) : async () => undefined;
  return async () => {
    await testify();
    await stackDown(host, { dir, purge: true });
    dismiss();
    cleanTemp();
  };
}

/** What tests write goes to a folder of this run, which goes with it. Workers inherit the variable. */
function ownTemp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-cli-tests-'));
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
