import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BenchReport } from '../../src/bench/report/report.ts';
import { runToEnd } from '../support/processes.ts';

test('bench --strategy runs a scenario under each, on fresh coupons, and the worst decides the exit code', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'small.yaml');
  const scenario = {
    version: 1,
    name: 'small',
    coupons: [{ id: 'small', total: 100 }],
    users: { count: 1_000, duplicateRate: 0.5, impatience: 1 },
    phases: [{ vus: 20 }],
    settle: { quietFor: '200ms' },
    drain: { interval: '200ms', eager: true },
  };
  writeFileSync(file, JSON.stringify(scenario));
  const result = await runToEnd(['bench', file, '--stack', '--strategy', 'all', '--json']);
  expect(result).toMatchObject({ exitCode: 4 });
  const { reports } = JSON.parse(result.stdout) as { reports: BenchReport[] };
  expect(reports.map(({ scenario: { strategy }, exitCode }) => [strategy, exitCode])).toEqual([
    ['rdb-lock', 0],
    ['three-calls', 4],
    ['atomic', 0],
  ]);
  expect(reports.map(({ coupons: [coupon] }) => coupon!.issued! < 100)).toEqual([false, true, false]);
});
