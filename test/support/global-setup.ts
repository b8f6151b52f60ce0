import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { defaultStackDir, stackDown, stackUp } from '../../src/dev/stack.ts';
import { testHost } from './host.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    databaseUrl: string;
  }
}

const clone = fileURLToPath(new URL('../../', import.meta.url));

/** One real Redis and one real PostgreSQL for the whole run: the ones named for tests, or a stack of the tests' own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const host = testHost();
  const { COUPON_TEST_REDIS_URL, COUPON_TEST_DATABASE_URL } = host.env;
  if (COUPON_TEST_REDIS_URL && COUPON_TEST_DATABASE_URL) {
    project.provide('redisUrl', COUPON_TEST_REDIS_URL);
    project.provide('databaseUrl', COUPON_TEST_DATABASE_URL);
    return async () => undefined;
  }
  const dir = defaultStackDir(host, clone, 'test');
  const stack = await stackUp(host, { dir, log: (line) => console.error(line) });
  project.provide('redisUrl', stack.redisUrl);
  project.provide('databaseUrl', stack.databaseUrl);
  return async () => {
    await stackDown(host, { dir });
  };
}
