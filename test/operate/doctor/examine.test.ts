import { describe, expect, it } from 'vitest';
import { CouponError } from '../../../src/lib/errors.ts';
import { examine } from '../../../src/operate/doctor/examine.ts';
import { drainSeconds } from '../../../src/operate/doctor/event-lines.ts';
import type { Check, Line } from '../../../src/operate/doctor/line.ts';
import type { EventPlan, Plan } from '../../../src/operate/doctor/plan.ts';
import type { Facts, PostgresFacts, RedisServer } from '../../../src/operate/doctor/ports.ts';
import { linesText } from '../../../src/operate/doctor/text.ts';
import { painter } from '../../../src/lib/text/style.ts';

const GIB = 1_024 ** 3;
const trip = { medianMs: 0.3, worstMs: 1, aheadMs: 0.1, exactToMs: 0.2 };

function server(changed: Partial<RedisServer> = {}): RedisServer {
  return {
    address: null,
    version: '7.2.4',
    role: 'primary',
    replicas: { connected: 1, online: 1 },
    durability: { address: null, evictionPolicy: 'noeviction', appendOnly: true, fsync: 'always' },
    failedWrites: [],
    memory: { used: GIB, limit: 4 * GIB, resident: GIB, machine: 8 * GIB },
    clients: { connected: 5, most: 10_000 },
    trip,
    ...changed,
  };
}

function postgres(changed: Partial<PostgresFacts> = {}): PostgresFacts {
  return {
    version: 15,
    standby: false,
    readOnly: false,
    weaknesses: [],
    pooled: false,
    schema: { applied: 4, newest: 4 },
    connections: { used: 5, most: 97 },
    trip,
    ...changed,
  };
}

const bytesPerUser = { bytes: 1_000, from: 'probe', detail: 'measured' } as const;
const facts = (one: Partial<RedisServer> = {}, other: Partial<PostgresFacts> = {}, openFiles: number | null = 65_536): Facts => ({
  redis: { isCluster: false, servers: [server(one)], bytesPerUser },
  postgres: postgres(other),
  machine: { openFiles },
});
const plan = (changed: Partial<Plan> = {}): Plan => ({ processes: 2, poolSize: 10, clients: 10_000, users: null, event: null, ...changed });
const find = (lines: readonly Line[], check: Check): Line => lines.find((line) => line.check === check)!;

it('nothing is wrong with stores that are fit', () => {
  const lines = examine(facts(), plan());
  expect(lines.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  expect(find(lines, 'redis_memory').text).toContain('room for 3,221,225 users');
});

const away = { address: null, evictionPolicy: null, appendOnly: null, fsync: null };
const durability = server().durability;

it.each<[Check, Line['verdict'], Facts, Partial<Plan>, string]>([
  ['redis_version', 'problem', facts({ version: '6.2.14' }), {}, '6.2.14'],
  ['redis_version', 'unknown', facts({ version: null }), {}, 'may not ask'],
  ['redis_role', 'problem', facts({ role: 'replica' }), {}, 'replica'],
  ['redis_role', 'unknown', facts({ role: null }), {}, 'may not ask'],
  ['redis_replicas', 'warning', facts({ replicas: { connected: 2, online: 1 } }), {}, 'not in step'],
  ['redis_replicas', 'unknown', facts({ replicas: null }), {}, 'may not ask'],
  ['redis_persistence', 'problem', facts({ durability: { ...durability, appendOnly: false } }), {}, 'appendonly no'],
  ['redis_persistence', 'warning', facts({ durability: { ...durability, fsync: 'everysec' } }), {}, 'everysec'],
  ['redis_persistence', 'unknown', facts({ durability: { ...durability, fsync: null } }), {}, 'appendfsync'],
  ['redis_persistence', 'unknown', facts({ durability: away }), {}, 'disk'],
  ['redis_writes', 'problem', facts({ failedWrites: ['aof_last_write_status'] }), {}, 'aof_last_write_status'],
  ['redis_writes', 'unknown', facts({ failedWrites: null }), {}, 'may not ask'],
  ['redis_eviction', 'problem', facts({ durability: { ...durability, evictionPolicy: 'allkeys-lru' } }), {}, 'allkeys-lru'],
  ['redis_eviction', 'unknown', facts({ durability: away }), {}, 'maxmemory-policy'],
  ['redis_memory', 'warning', facts({ memory: { used: GIB, limit: 0, resident: GIB, machine: 8 * GIB } }), {}, '7 GiB left'],
  ['redis_memory', 'problem', facts(), { users: [{ address: null, users: 4_000_000 }] }, '4,000,000 users need 3.7 GiB'],
  ['redis_memory', 'warning', facts(), { users: [{ address: null, users: 3_000_000 }] }, '3,000,000 users'],
  ['redis_memory', 'unknown', facts({ memory: null }), {}, 'may not ask'],
  ['redis_connections', 'problem', facts({ clients: { connected: 9_999, most: 10_000 } }), {}, '9,999 of 10,000'],
  ['redis_connections', 'unknown', facts({ clients: null }), {}, 'maxclients'],
  ['redis_clock', 'warning', facts({ trip: { ...trip, aheadMs: -900 } }), {}, '900 ms behind this machine'],
  ['redis_clock', 'problem', facts({ trip: { ...trip, aheadMs: 60_000 } }), {}, '60,000 ms ahead of this machine'],
  ['redis_clock', 'unknown', facts({ trip: null }), {}, 'may not ask'],
  ['redis_round_trip', 'warning', facts({ trip: { ...trip, medianMs: 40 } }), {}, '40 ms'],
  ['clocks_of_stores', 'warning', facts({}, { trip: { ...trip, aheadMs: 2_000 } }), {}, 'behind PostgreSQL'],
  ['postgres_version', 'problem', facts({}, { version: 12 }), {}, '12'],
  ['postgres_role', 'problem', facts({}, { standby: true }), {}, 'standby'],
  ['postgres_role', 'problem', facts({}, { readOnly: true }), {}, 'read only'],
  ['postgres_durability', 'problem', facts({}, { weaknesses: [{ setting: 'fsync', what: 'fsync off' }] }), {}, 'fsync off'],
  ['postgres_durability', 'warning', facts({}, { weaknesses: [{ setting: 'synchronous_commit', what: 'off' }] }), {}, 'off'],
  ['postgres_schema', 'problem', facts({}, { schema: { applied: 0, newest: 4 } }), {}, 'no tables'],
  ['postgres_schema', 'problem', facts({}, { schema: { applied: 3, newest: 4 } }), {}, 'needed 4'],
  ['postgres_schema', 'problem', facts({}, { schema: { applied: 5, newest: 4 } }), {}, 'known 4'],
  ['postgres_schema', 'unknown', facts({}, { schema: null }), {}, 'may not read'],
  ['postgres_connections', 'problem', facts(), { processes: 10 }, '10 × 10'],
  ['postgres_connections', 'warning', facts({}, { connections: { used: 90, most: 97 } }), {}, '90 of 97'],
  ['postgres_connections', 'unknown', facts({}, { pooled: true }), {}, 'pooler'],
  ['open_files', 'problem', facts({}, {}, 1_024), {}, '1,024'],
  ['open_files', 'unknown', facts({}, {}, null), {}, 'does not tell'],
])('%s: %s', (check, verdict, found, wanted, text) => {
  const line = find(examine(found, plan(wanted)), check);
  expect(line).toMatchObject({ verdict, text: expect.stringContaining(text), fix: expect.stringMatching(/\S/) });
});

it('a clock that is known inexactly is not called wrong', () => {
  const { verdict } = find(examine(facts({ trip: { ...trip, aheadMs: 600, exactToMs: 300 } }), plan()), 'redis_clock');
  expect(verdict).toBe('ok');
});

it('a store that is away is a line, and the other one is looked at all the same', () => {
  const error = new CouponError({ code: 'REDIS_DOWN', kind: 'unreachable', message: 'Redis is away', why: 'refused', fix: 'Start it.' });
  const lines = examine({ ...facts(), redis: { error } }, plan());
  expect(lines[0]).toEqual({ check: 'redis_reachable', where: null, verdict: 'problem', text: 'Redis is away: refused', fix: 'Start it.' });
  expect(find(lines, 'postgres_version').verdict).toBe('ok');
});

it('each server of a cluster is looked at, and has its own users', () => {
  const servers = ['a:1', 'b:2'].map((address) => server({ address, durability: { ...durability, address } }));
  const found: Facts = { ...facts(), redis: { isCluster: true, servers, bytesPerUser } };
  const lines = examine(found, plan({ users: [{ address: 'b:2', users: 9_000_000 }] })).filter(({ check }) => check === 'redis_memory');
  expect(lines.map(({ where, verdict }) => [where, verdict])).toEqual([
    ['a:1', 'ok'],
    ['b:2', 'problem'],
  ]);
});

describe('an event', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const coupon = { id: 'summer', name: 'Summer', total: 30_000, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
  const event = (changed: Partial<EventPlan['coupons'][number]>, perSecond = 50): EventPlan => ({
    file: 'event.yaml',
    coupons: [{ ...coupon, ...changed }],
    perSecond,
    now,
  });
  const judged = (one: EventPlan, check: Check): Line => find(examine(facts(), plan({ event: one })), check);

  it.each<[Line['verdict'], EventPlan, string]>([
    ['ok', event({}), 'issued within 10 min'],
    ['ok', event({}, Number.POSITIVE_INFINITY), 'as fast as the stores'],
    ['warning', event({ total: 40_000 }), '13 min 20 s'],
    ['problem', event({ expiry: { kind: 'at', at: new Date('2026-01-01T00:05:00Z') } }), 'expire before'],
    [
      'problem',
      event({ opensAt: new Date('2026-01-01T01:00:00Z'), expiry: { kind: 'at', at: new Date('2026-01-01T01:05:00Z') } }),
      'expire',
    ],
  ])('drains: %s', (verdict, one, text) =>
    expect(judged(one, 'event_drain')).toMatchObject({ where: 'summer', verdict, text: expect.stringContaining(text) }),
  );

  it.each<[Line['verdict'], Partial<EventPlan['coupons'][number]>]>([
    ['ok', { opensAt: new Date('2026-01-01T01:00:00Z') }],
    ['warning', { opensAt: new Date('2025-12-31T00:00:00Z') }],
    ['problem', { closesAt: new Date('2025-12-31T00:00:00Z') }],
  ])('has a window: %s', (verdict, changed) => expect(judged(event(changed), 'event_window').verdict).toBe(verdict));

  it('takes as long as its largest coupon, because each is issued at the same pace', () => {
    const two = { ...event({}), coupons: [coupon, { ...coupon, id: 'winter', total: 100 }] };
    expect(drainSeconds(two)).toBe(600);
  });
});

it('a line shows its mark, its name and its fix', () => {
  const text = linesText(
    [
      { check: 'redis_version', where: null, verdict: 'ok', text: '7.0', fix: null },
      { check: 'redis_role', where: 'a:1', verdict: 'problem', text: 'a replica', fix: 'Use the primary.' },
    ],
    painter(false),
  );
  expect(text.split('\n')).toEqual([
    '✔ redis version   7.0',
    '✘ redis role a:1  a replica',
    '                  fix: Use the primary.',
    '                  see: docs/doctor.md#redis_role',
  ]);
});
