import { describe, expect, test } from 'vitest';
import { deadPort, rawServer } from './faulty-servers.ts';
import type { Exchange } from './faulty-servers.ts';
import { loadPlan, runLoad, usersByOutcome } from './plans.ts';
import type { TestLoad } from './plans.ts';

/** 400 requests each, if nobody stops them. */
const EXECUTORS: Record<string, TestLoad> = {
  'shared-iterations': { phases: [{ vus: 10 }] },
  'shared-iterations that think': { phases: [{ vus: 50, thinkTime: { min: '1ms', max: '5ms' } }] },
  'constant-vus': { phases: [{ executor: 'constant-vus', vus: 10, duration: '1m' }] },
  'ramping-vus': {
    phases: [
      {
        executor: 'ramping-vus',
        startVUs: 0,
        stages: [
          { duration: '100ms', target: 20 },
          { duration: '1m', target: 20 },
        ],
      },
    ],
  },
  'constant-arrival-rate': { phases: [{ executor: 'constant-arrival-rate', rate: 800, duration: '500ms', maxVUs: 50, startWithin: '1m' }] },
  'ramping-arrival-rate': {
    phases: [
      {
        executor: 'ramping-arrival-rate',
        startRate: 0,
        stages: [{ duration: '1s', target: 800 }],
        preAllocatedVUs: 2,
        maxVUs: 50,
        startWithin: '1m',
      },
    ],
  },
};

const FAULTS: Record<string, (exchange: Exchange) => boolean> = {
  none: () => false,
  reset: ({ socket, nth }) => nth % 10 === 0 && Boolean(socket.resetAndDestroy()),
  'end of stream': ({ socket, nth }) => nth % 10 === 0 && Boolean(socket.end()),
  silence: ({ nth }) => nth % 40 === 0,
  'cut mid-body': ({ socket, nth }) => nth % 25 === 0 && Boolean(socket.end('HTTP/1.1 202 X\r\nContent-Length: 100\r\n\r\n{"half":')),
};

describe('every request ends as exactly one outcome, and no accepted reply is missed', () => {
  const cases = Object.keys(EXECUTORS).flatMap((executor) => Object.keys(FAULTS).map((fault) => [executor, fault] as const));
  test.each(cases)('%s: %s', async (executor, fault) => {
    const processed: string[] = [];
    const told: string[] = [];
    await using server = await rawServer((exchange) => {
      processed.push(exchange.userId);
      if (FAULTS[fault]!(exchange)) return;
      told.push(exchange.userId);
      exchange.reply(202);
    });
    const plan = loadPlan(server.url, { ...EXECUTORS[executor], timeout: fault === 'silence' ? '1s' : '1m' });
    const result = await runLoad(plan);
    const by = usersByOutcome(plan, result);
    expect(result.record.length).toBe(400);
    expect(result.outcomes.unsent).toBe(0);
    expect(processed).toHaveLength(400);
    expect(new Set(processed).size, 'nobody asks twice').toBe(400);
    expect(by['accepted']?.toSorted()).toEqual(told.toSorted());
    expect(result.outcomes.unknown).toBe(400 - told.length);
  });
});

describe('closed models', () => {
  test('constant-vus ends with its time; users who never had a turn are not on the record', async () => {
    await using server = await rawServer(({ reply }) => reply(202));
    const plan = loadPlan(server.url, {
      users: 1_000_000,
      phases: [{ executor: 'constant-vus', vus: 2, duration: '200ms', thinkTime: '10ms' }],
    });
    const { record, outcomes, ranOut } = await runLoad(plan);
    expect(record.length).toBeGreaterThan(2);
    expect(record.length).toBeLessThan(1_000);
    expect(outcomes.accepted).toBe(record.length);
    expect(ranOut).toEqual([]);
  });

  test('when all users have asked before the time is up, the phase ends and says so', async () => {
    await using server = await rawServer(({ reply }) => reply(202));
    const { outcomes, ranOut } = await runLoad(
      loadPlan(server.url, { phases: [{ name: 'all day', executor: 'constant-vus', vus: 5, duration: '24h' }] }),
    );
    expect(outcomes.accepted).toBe(400);
    expect(ranOut).toEqual(['all day']);
  });

  test('ramping-vus has as many users at work as the stages say', async () => {
    const held: Exchange[] = [];
    await using server = await rawServer((exchange) => void held.push(exchange));
    // Nobody gets an answer: everybody who starts is still waiting at the end.
    const phases = [
      {
        executor: 'ramping-vus',
        startVUs: 1,
        stages: [
          { duration: '200ms', target: 7 },
          { duration: '200ms', target: 7 },
        ],
      },
    ];
    const { outcomes, generator } = await runLoad(loadPlan(server.url, { phases, gracefulStop: '50ms' }));
    expect(held).toHaveLength(7);
    expect(outcomes.unknown).toBe(7);
    expect(generator.vus).toBe(7);
  });

  test('phases follow one another, each with users of its own', async () => {
    const order: number[] = [];
    await using server = await rawServer(({ userId, reply }) => {
      order.push(Number(userId.slice('user-'.length)));
      reply(202);
    });
    const phases = [
      { vus: 5, iterations: 100 },
      { executor: 'constant-arrival-rate', rate: 1_000, duration: '100ms', maxVUs: 20 },
      { executor: 'constant-vus', vus: 3, duration: '1m' },
    ];
    const { record, outcomes } = await runLoad(loadPlan(server.url, { phases }));
    expect(outcomes.accepted).toBe(400);
    expect(new Set(order).size).toBe(400);
    const sent = [...record.sentUs];
    const [first, second, third] = [sent.slice(0, 100), sent.slice(100, 200), sent.slice(200)];
    expect(Math.max(...first)).toBeLessThanOrEqual(Math.min(...second));
    expect(Math.max(...second)).toBeLessThanOrEqual(Math.min(...third));
  });
});

describe('open models', () => {
  const phase = { executor: 'constant-arrival-rate', rate: 400, duration: '500ms', maxVUs: 3 };

  test('a request waits for a free connection, and its latency counts from when it was due', async () => {
    const held: Exchange[] = [];
    await using server = await rawServer((exchange) => {
      held.push(exchange);
      // The first three hold all connections until long after all others are due.
      if (held.length === 3) setTimeout(() => held.forEach((one) => one.reply(202)), 600);
      if (held.length > 3) exchange.reply(202);
    });
    const plan = loadPlan(server.url, { phases: [{ ...phase, startWithin: '1m' }] });
    const { record, outcomes, latencies, fromPlanned } = await runLoad(plan);
    expect(outcomes.accepted).toBe(200);
    const p50 = { kind: 'percentile', percentile: 50 } as const;
    expect(latencies.value(null, p50)!).toBeLessThan(fromPlanned.value(null, p50)!);
    // Half of them were due in the first 250 ms, and nobody was answered before 600.
    expect(fromPlanned.value(null, p50)).toBeGreaterThan(200);
    for (let row = 1; row < 200; row += 1) expect(record.intendedUs[row]! - record.intendedUs[row - 1]!).toBeCloseTo(2_500, -1);
  });

  test('one that waits too long is dropped: unsent, with the time when it should have left', async () => {
    const asked: string[] = [];
    await using server = await rawServer(({ userId }) => void asked.push(userId));
    const plan = loadPlan(server.url, { phases: [{ ...phase, startWithin: '20ms' }], gracefulStop: '50ms' });
    const result = await runLoad(plan);
    expect(result.outcomes).toMatchObject({ unknown: 3, unsent: 197 });
    expect(usersByOutcome(plan, result)['unknown']?.toSorted()).toEqual(asked.toSorted());
    expect([...result.record.intendedUs].every((us) => us >= 0)).toBe(true);
    expect([...result.record.sentUs].filter((us) => us >= 0)).toHaveLength(3);
  });

  test('connections are added when those that stand do not suffice', async () => {
    const held: Exchange[] = [];
    await using server = await rawServer((exchange) => void held.push(exchange));
    const phases = [{ ...phase, preAllocatedVUs: 1, maxVUs: 20, startWithin: '20ms' }];
    const { outcomes } = await runLoad(loadPlan(server.url, { phases, gracefulStop: '50ms' }));
    expect(outcomes).toMatchObject({ unknown: 20, unsent: 180 });
  });

  test('a target that is not there: the run gives up, and all that was planned is on the record as unsent', async () => {
    const phases = [{ ...phase, duration: '1m' }];
    const plan = loadPlan(`http://127.0.0.1:${await deadPort()}`, { users: 24_000, phases });
    const { record, outcomes, planned, targetLost } = await runLoad(plan, { targetLostAfterMs: 200 });
    expect(targetLost).toBe(true);
    expect([outcomes.unsent, record.length, planned]).toEqual([24_000, 24_000, 24_000]);
    expect(record.intendedUs.some(Number.isNaN)).toBe(true);
  });

  test('an interrupt ends it: what never became due is on the record as unsent', async () => {
    const stop = new AbortController();
    await using server = await rawServer(({ nth, reply }) => {
      reply(202);
      if (nth === 50) stop.abort();
    });
    const { record, outcomes, planned, interrupted } = await runLoad(loadPlan(server.url, { phases: [phase] }), { signal: stop.signal });
    expect(interrupted).toBe(true);
    expect(outcomes.accepted).toBeLessThan(200);
    expect([outcomes.accepted + outcomes.unsent, record.length, planned]).toEqual([200, 200, 200]);
  });
});

describe('a threshold with abortOnFail', () => {
  const missed = { http_req_duration: { threshold: 'max<1', abortOnFail: true } };

  test('ends the load when it is missed, and says at which rate', async () => {
    await using server = await rawServer(({ nth, reply }) => void setTimeout(() => reply(202), nth < 100 ? 0 : 20));
    const phases = [{ executor: 'constant-arrival-rate', rate: 200, duration: '1m', maxVUs: 50 }];
    const plan = loadPlan(server.url, { users: 12_000, phases, thresholds: missed });
    const { record, outcomes, aborted, interrupted } = await runLoad(plan);
    expect(aborted).toMatchObject({ metric: 'http_req_duration', expr: 'max<1', phase: 'phase 1', askedPerSecond: 200 });
    expect(interrupted).toBe(false);
    expect(outcomes.accepted).toBe(record.length);
    expect(record.length).toBeLessThan(12_000);
  });

  test('is not looked at before its delay, nor while there is nothing to measure', async () => {
    await using server = await rawServer(({ reply }) => void setTimeout(() => reply(202), 5));
    const late = { http_req_duration: { threshold: 'max<1', abortOnFail: true, delayAbortEval: '1h' } };
    const never = { 'http_req_duration{outcome:sold_out}': { threshold: 'max<1', abortOnFail: true } };
    for (const thresholds of [late, never]) {
      const { outcomes, aborted } = await runLoad(loadPlan(server.url, { thresholds }));
      expect(aborted).toBeNull();
      expect(outcomes.accepted).toBe(400);
    }
  });
});
