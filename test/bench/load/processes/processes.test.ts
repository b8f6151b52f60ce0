import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { LoadPlan } from '../../../../src/bench/ports.ts';
import { isOpen } from '../../../../src/bench/plan/phase.ts';
import { OUTCOMES } from '../../../../src/campaign/outcome.ts';
import { UserDirectory } from '../../../../src/bench/plan/user-plan.ts';
import { UserTable } from '../../../../src/bench/plan/user-table.ts';
import { startChild } from '../../../../src/lib/process/children.ts';
import { latenciesOf } from '../../../../src/bench/record/histogram.ts';
import { mergeResults, type PartResult } from '../../../../src/bench/load/processes/merge-results.ts';
import { joinPart, splitPlan } from '../../../../src/bench/load/processes/plan.ts';
import { ProcessesDriver } from '../../../../src/bench/load/processes/driver.ts';
import { LoadRecord } from '../../../../src/bench/record/record.ts';
import { rawServer } from '../faulty-servers.ts';
import { loadPlan, usersByOutcome } from '../plans.ts';

const BIN = fileURLToPath(new URL('../../../../bin/coupon-cli.js', import.meta.url));
const TARGET = 'http://127.0.0.1:1';

describe('a load cut into parts', () => {
  const plan = loadPlan(TARGET, { users: 1_001, vus: 7, duplicateRate: 0.5, phases: [{ vus: 7, iterations: 400 }, { vus: 50 }] });
  const { parts, rows } = splitPlan(plan, 3);

  test('has every request once, with its user and its id, and no user in two parts', () => {
    expect(rows.flatMap((own) => [...own]).toSorted((a, b) => a - b)).toEqual([...plan.requests.user.keys()]);
    const users = parts.map((part, index) => {
      const { requests, users: own } = joinPart(part);
      for (const [row, whole] of rows[index]!.entries()) {
        expect(own.id(requests.user[row]!)).toBe(plan.users.id(plan.requests.user[whole]!));
        expect(requests.requestId[row]).toBe(plan.requests.requestId[whole]);
      }
      return new Set([...requests.user].map((user) => own.id(user)));
    });
    expect(users.reduce((sum, own) => sum + own.size, 0)).toBe(1_001);
    expect(new Set(users.flatMap((own) => [...own])).size).toBe(1_001);
  });

  test('has the virtual users of the whole, and each phase the very requests that it would have', () => {
    for (const [index, phase] of plan.phases.entries()) {
      expect(parts.reduce((sum, part) => sum + part.phases[index]!.vus, 0)).toBe(phase.vus);
    }
    const inFirst = parts.map((part, index) => {
      const [first] = part.phases;
      return first?.executor === 'shared-iterations' ? [...rows[index]!.subarray(0, first.iterations)] : [];
    });
    expect(inFirst.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, row) => row));
  });

  test('of an open model comes to the same rate', () => {
    const open = loadPlan(TARGET, {
      phases: [{ executor: 'ramping-arrival-rate', startRate: 100, stages: [{ duration: '1s', target: 400 }], maxVUs: 30 }],
    });
    const rates = splitPlan(open, 3).parts.map(({ phases: [phase] }) => (phase && isOpen(phase) ? phase.rate : null));
    expect(rates.reduce((sum, rate) => sum + rate!.startRate, 0)).toBeCloseTo(100, 9);
    expect(rates.reduce((sum, rate) => sum + rate!.stages[0]!.target, 0)).toBeCloseTo(400, 9);
  });

  test('takes the values of users from a table along', () => {
    const table = new UserTable(['name', 'token'], 'name');
    for (let n = 0; n < 5; n += 1) table.add([`n${n}`, `t${n}`]);
    const whole = new UserDirectory({ count: 5, prefix: '', start: 0, table });
    const part = UserDirectory.ofPart(structuredClone(whole.part(2, 5)));
    expect([0, 1, 2].map((user) => [part.id(user), part.value(user, 1)])).toEqual([
      ['n2', 't2'],
      ['n3', 't3'],
      ['n4', 't4'],
    ]);
    expect(part.numberOf('n4')).toBe(2);
  });

  test.each<[string, LoadPlan, number]>([
    ['more parts than virtual users', loadPlan(TARGET, { vus: 2 }), 3],
    [
      'a threshold that ends the load',
      loadPlan(TARGET, { thresholds: { http_req_duration: { threshold: 'p(99)<1', abortOnFail: true } } }),
      2,
    ],
  ])('is refused: %s', (_, whole, processes) => {
    expect(() => splitPlan(whole, processes)).toThrow(expect.objectContaining({ code: 'BENCH_PROCESSES', kind: 'usage' }));
  });
});

test('merged, a record is the one that a single process would have kept, to the microsecond and the last histogram bucket', () => {
  const plan = loadPlan(TARGET, { users: 500, vus: 9, duplicateRate: 0.3 });
  const whole = new LoadRecord(plan.requests);
  for (let row = 0; row < whole.length; row += 1) {
    if (row % 10 === 3) continue;
    whole.sent(row, row * 100, row * 100 + (row % 7));
    if (row % 10 === 5) whole.lost(row);
    else whole.replied(row, row % 3, 200 + (row % 3), row * 100 + 1_000 + ((row * 7_919) % 50_000));
  }
  const split = splitPlan(plan, 4);
  // Each with a clock that began at another time; the first is the one that began first, and keeps its numbers.
  const results = split.rows.map((rows, part): PartResult => {
    const late = part * 250_000;
    const times = (of: Float64Array) => Float64Array.from(rows, (row) => of[row]! - late);
    const bytes = (of: Uint8Array) => Uint8Array.from(rows, (row) => of[row]!);
    const { requests } = split.parts[part]!;
    return {
      record: {
        ...requests,
        intendedUs: times(whole.intendedUs),
        sentUs: times(whole.sentUs),
        doneUs: times(whole.doneUs),
        outcome: bytes(whole.outcome),
        status: Uint16Array.from(rows, (row) => whole.status[row]!),
      },
      zeroMs: 5_000_000 + late / 1_000,
      startedAtMs: 1_800_000_000_000 + late / 1_000,
      planned: requests.length,
      seconds: 1,
      interrupted: false,
      targetLost: false,
      ranOut: [],
      generator: {
        vus: 2,
        requestsPerSecond: 1,
        eventLoopUtilization: part / 10,
        eventLoopLagMs: { p50: 1, p99: part, max: 9 },
        startLagMs: null,
        cpuShare: 0.5,
        reconnects: 1,
        faults: { ECONNRESET: part },
        limited: part === 2,
      },
    };
  });
  const merged = mergeResults(results, split);
  for (const column of ['user', 'coupon', 'requestId', 'intendedUs', 'sentUs', 'doneUs', 'outcome', 'status'] as const) {
    expect([...merged.record[column]], column).toEqual([...whole[column]]);
  }
  expect(merged.outcomes).toEqual(whole.counts(true));
  for (const outcome of OUTCOMES) expect(merged.latencies.encoded(outcome)).toBe(latenciesOf(whole).encoded(outcome));
  expect(merged.startedAt).toEqual(new Date(1_800_000_000_000));
  expect(merged.generator).toMatchObject({ vus: 8, cpuShare: 2, reconnects: 4, faults: { ECONNRESET: 6 }, limited: true });
  expect(merged.generator.eventLoopLagMs).toEqual({ p50: 1, p99: 3, max: 9 });
});

describe('real processes', () => {
  const driver = (processes: number, command: [string, ...string[]] = [process.execPath, BIN]) =>
    new ProcessesDriver({
      processes,
      tmpDir: tmpdir(),
      start: (dir, onEvent) =>
        startChild('worker', {
          command,
          args: ['bench', 'worker', dir, '--json'],
          env: { PATH: process.env['PATH'] },
          cwd: dir,
          listens: true,
          onEvent,
          onDeath: () => undefined,
        }),
    });

  test('ask for every user once, on one clock', async () => {
    await using server = await rawServer(({ reply }) => reply(202));
    const plan = loadPlan(server.url, { users: 600, vus: 5, duplicateRate: 0.5 });
    const result = await driver(3).run(plan, { signal: new AbortController().signal });
    expect(result).toMatchObject({ interrupted: false, targetLost: false, generator: { vus: 5 } });
    expect(result.record.length).toBe(900);
    const users = Object.values(usersByOutcome(plan, result)).flat();
    expect(new Set(users).size).toBe(600);
    expect(result.outcomes.unsent + result.outcomes.unknown + result.outcomes.unexpected).toBe(0);
    const { sentUs, doneUs } = result.record;
    expect(Math.min(...sentUs)).toBeGreaterThanOrEqual(0);
    for (const [row, us] of doneUs.entries()) expect(us).toBeGreaterThan(sentUs[row]!);
    expect(Math.max(...doneUs) / 1e6).toBeLessThanOrEqual(result.seconds + Math.min(...sentUs) / 1e6 + 0.001);
  });

  test('go on to the next phase when there is nothing in one for them', async () => {
    await using server = await rawServer(({ reply }) => reply(202));
    const plan = loadPlan(server.url, { users: 30, phases: [{ vus: 3, iterations: 1 }, { vus: 3 }] });
    const result = await driver(3).run(plan, { signal: new AbortController().signal });
    expect(result.outcomes.accepted).toBe(30);
  });

  test('stop together when they are asked to, and what was sent is on the record', async () => {
    await using server = await rawServer(({ reply }) => reply(202));
    const stop = new AbortController();
    const plan = loadPlan(server.url, { users: 200_000, vus: 4 });
    const result = await driver(2).run(plan, { signal: stop.signal, onProgress: () => stop.abort('SIGINT') });
    expect(result.interrupted).toBe(true);
    expect(result.outcomes.unsent).toBeGreaterThan(0);
    expect(result.record.length).toBe(200_000);
  });

  test('one that ends early fails the load: what it had sent is not known', async () => {
    const broken = driver(2, [process.execPath, '-e', 'process.exit(3)', '--']);
    await expect(broken.run(loadPlan(TARGET), { signal: new AbortController().signal })).rejects.toMatchObject({ code: 'CHILD_FAILED' });
  });
});
