import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { shippedScenarios } from '../../../../src/cli/commands/bench/scenarios.ts';
import { fileURLToPath } from 'node:url';
import { cli } from '../../../support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'coupon-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

interface Checked {
  scenarios: { name: string; requests: number; untested: { check: string; reason: string }[]; why: string[] }[];
}

test('says what a run can prove, and sends nothing', async () => {
  const few = written(
    'few.yaml',
    'version: 1\nname: few\ncoupons: [{ id: c, total: 500 }]\nusers: { count: 100 }\nphases: [{ executor: shared-iterations, vus: 10, name: rush }]\n',
  );
  const { exitCode, stdout } = await cli(['bench', 'check', 'smoke', few]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('smoke: 400 users, 440 requests, 100 coupons\n  a run can be proven');
  expect(stdout).toContain('few: 100 users, 100 requests, 500 coupons\n  a run can only be held:');
  expect(stdout).toContain('100 users ask for 500 coupons, so "never more issued than there are"');
  const reasons = (await cli(['bench', 'check', few, '--json']))
    .json<Checked>()
    .scenarios[0]!.untested.map(({ check, reason }) => `${check} ${reason}`);
  expect(reasons).toEqual([
    'issued_within_total FEWER_USERS_THAN_COUPONS',
    'one_per_user NOBODY_ASKS_TWICE',
    'issued_were_accepted FEWER_USERS_THAN_COUPONS',
    'sold_out_when_gone FEWER_USERS_THAN_COUPONS',
  ]);
});

test('every scenario that ships puts all checks to the test, but where there is nothing or only one to give', async () => {
  const env = { packageDir: fileURLToPath(new URL('../../../../', import.meta.url)) } as Parameters<typeof shippedScenarios>[0];
  const { scenarios } = (await cli(['bench', 'check', ...(await shippedScenarios(env)), '--json'])).json<Checked>();
  expect(scenarios.length).toBeGreaterThan(8);
  expect(scenarios.filter(({ untested }) => untested.length > 0).map(({ name }) => name)).toEqual(['stock-one', 'stock-zero']);
});

test('a mistake is told with its line, exit code 2', async () => {
  const wrong = written(
    'wrong.yaml',
    'version: 1\nname: wrong\ncoupons: [{ id: c, total: 5 }]\nusers: { cuont: 100 }\nphases: [{ executor: shared-iterations, vus: 10, name: rush }]\n',
  );
  const { exitCode, stderr } = await cli(['bench', 'check', 'smoke', wrong]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('BAD_SCENARIO');
  expect(stderr).toMatch(/4/);
});
