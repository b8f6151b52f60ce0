import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BenchReport } from '../../src/bench/report/report.ts';
import { runToEnd } from '../support/processes.ts';

test('with drain and server killed and both stores crashed under load, every promise holds', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'day.yaml');
  const scenario = {
    version: 1,
    name: 'day',
    coupons: [{ id: 'day', total: 9_000 }],
    users: { count: 20_000, duplicateRate: 0.2 },
    phases: [{ vus: 8, maxDuration: '60s' }],
    timeline: [
      { at: '300ms', action: 'kill-drain' },
      { at: '600ms', action: 'kill-serve' },
      { at: '1200ms', action: 'restart-redis' },
      { at: '1800ms', action: 'restart-postgres' },
    ],
    settle: { timeout: '60s' },
    drain: { interval: '100ms', batch: 500, eager: true, lease: '1s' },
  };
  writeFileSync(file, JSON.stringify(scenario));
  const result = await runToEnd(['bench', file, '--stack', '--json']);
  const report = JSON.parse(result.stdout) as BenchReport;
  expect(report.integrity.filter(({ status }) => status !== 'pass')).toEqual([]);
  expect(result.exitCode).toBe(0);
  const disrupted = report.notes.filter(({ code }) => code.startsWith('DISRUPT'));
  expect(disrupted.map(({ code, facts }) => [code, facts?.['action']])).toEqual([
    ['DISRUPTED', 'kill-drain'],
    ['DISRUPTED', 'kill-serve'],
    ['DISRUPTED', 'restart-redis'],
    ['DISRUPTED', 'restart-postgres'],
  ]);
  // The kills were felt: connections were cut, or refused until the server was back.
  expect(Object.keys(report.generator.faults)).not.toEqual([]);
  expect(report.coupons[0]).toMatchObject({ total: 9_000, issued: 9_000, waiting: 0, claimed: 0 });
});
