import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check, Line } from '../../../src/operate/doctor/line.ts';
import { doctorReportSchema, type DoctorReport } from '../../../src/operate/doctor/schema.ts';
import { extraRedis, type ExtraRedis } from '../../support/extra-redis.ts';
import { PGBOUNCER, pgBouncer } from '../../support/pgbouncer.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
let fit: ExtraRedis;
beforeAll(async () => {
  stores = await openStores();
  fit = await extraRedis(['--maxmemory', '500mb', '--maxmemory-policy', 'noeviction']);
});
afterAll(async () => {
  await fit[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});

interface Answer extends DoctorReport {
  exitCode: number;
  line(check: Check): Line;
}

async function doctor(redisUrl: string, argv: readonly string[] = [], databaseUrl = stores.databaseUrl): Promise<Answer> {
  const result = await cli(['doctor', '--json', ...argv, ...at({ redisUrl, databaseUrl })]);
  expect(result.stderr).toBe('');
  const report = doctorReportSchema.strict().parse(result.json());
  return { ...report, exitCode: result.exitCode, line: (check) => report.lines.find((line) => line.check === check)! };
}

function eventFile(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-event-')), 'event.yaml');
  writeFileSync(path, text);
  return path;
}

it('stores that are fit: every line is ok, in text and as JSON', async () => {
  const { exitCode, verdict, lines } = await doctor(fit.url, ['--max-pending', '1000']);
  expect(lines.filter((line) => line.verdict !== 'ok')).toEqual([]);
  expect({ exitCode, verdict }).toEqual({ exitCode: 0, verdict: 'ok' });
  const { stdout } = await cli(['doctor', '--max-pending', '1000', ...at({ redisUrl: fit.url, databaseUrl: stores.databaseUrl })]);
  expect(stdout).toContain('✔ redis persistence     appendonly yes, appendfsync always');
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`${lines.length} ok`);
});

describe('what is wrong is named, with exit code 2', () => {
  it.each<[Check, string[], string]>([
    ['redis_eviction', ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'], 'allkeys-lru'],
    ['redis_persistence', ['--appendonly', 'no'], 'appendonly no'],
    ['redis_role', ['--replicaof', '127.0.0.1', '1'], 'replica'],
    ['redis_connections', ['--maxclients', '2'], 'of 2 in use'],
  ])('%s', async (check, args, text) => {
    await using redis = await extraRedis(args);
    const answer = await doctor(redis.url);
    expect(answer).toMatchObject({ exitCode: 2, verdict: 'problem' });
    expect(answer.line(check)).toMatchObject({ verdict: 'problem', text: expect.stringContaining(text) });
  });

  it('a schema that is missing, and settings of PostgreSQL that lose what was committed', async () => {
    await using bare = await openStores({ migrated: false, durable: false });
    const answer = await doctor(fit.url, [], bare.databaseUrl);
    expect(answer.exitCode).toBe(2);
    expect(answer.line('postgres_schema')).toMatchObject({ verdict: 'problem', fix: expect.stringContaining('migrate') });
    expect(answer.line('postgres_durability')).toMatchObject({
      verdict: 'warning',
      text: expect.stringContaining('synchronous_commit off'),
    });
  });

  it('a limit of connections that the workers would pass, also that of the role', async () => {
    expect((await doctor(fit.url, ['--workers', '500'])).line('postgres_connections').verdict).toBe('problem');
    await stores.sql("CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 15");
    await stores.sql('GRANT SELECT ON coupon_migrations TO few');
    try {
      const few = Object.assign(new URL(stores.databaseUrl), { username: 'few', password: 'few' }).href;
      const { text, verdict } = (await doctor(fit.url, [], few)).line('postgres_connections');
      expect({ text, verdict }).toMatchObject({ verdict: 'problem', text: expect.stringContaining('of 15 in use') });
    } finally {
      await stores.sql('DROP OWNED BY few');
      await stores.sql('DROP ROLE few');
    }
  });

  it('stores that are away', async () => {
    const answer = await doctor('redis://127.0.0.1:1', [], 'postgres://127.0.0.1:1/none');
    expect(answer).toMatchObject({ exitCode: 2, bytesPerUser: null });
    expect(answer.lines.map(({ check }) => check)).toEqual(['redis_reachable', 'postgres_reachable', 'open_files']);
  });

  it('a wrong setting is a wrong setting', async () => {
    const result = await cli(['doctor', '--redis-url', 'http://x']);
    expect(result).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('BAD_REDIS_URL') });
  });
});

describe('what a user may not ask is unknown, and no problem', () => {
  const as = async (rules: string[]): Promise<Answer> => {
    const admin = new Redis(fit.url);
    await admin.call('ACL', 'SETUSER', 'asker', 'reset', 'on', '>pw', '~*', ...rules);
    admin.disconnect();
    return doctor(fit.url.replace('//', '//asker:pw@'), ['--max-pending', '1000']);
  };
  const unknowns = ({ lines }: Answer): Check[] => lines.flatMap(({ check, verdict }) => (verdict === 'unknown' ? [check] : []));

  it('without CONFIG: only fsync', async () => {
    const answer = await as(['+@all', '-config']);
    expect(answer).toMatchObject({ exitCode: 0, verdict: 'unknown' });
    expect(unknowns(answer)).toEqual(['redis_persistence']);
    expect(answer.line('redis_persistence').text).toContain('appendonly yes');
  });

  it('without anything but PING: all of Redis', async () => {
    const answer = await as(['+ping']);
    expect(answer.exitCode).toBe(0);
    expect(unknowns(answer)).toHaveLength(10);
    expect(answer.bytesPerUser).toMatchObject({ from: 'figure' });
  });
});

describe('the bytes per user', () => {
  it('are those of a probe, of which nothing stays', async () => {
    const redis = new Redis(fit.url);
    const { bytesPerUser } = await doctor(fit.url, ['--probe']);
    expect(bytesPerUser).toMatchObject({ from: 'probe' });
    expect(bytesPerUser!.bytes).toBeGreaterThan(300);
    expect(bytesPerUser!.bytes).toBeLessThan(1_200);
    expect(await redis.dbsize()).toBe(0);
    redis.disconnect();
  });

  it('are those of the users that are there, within a fifth of what the probe says', async () => {
    const own = at({ redisUrl: fit.url, databaseUrl: stores.databaseUrl });
    await cli(['seed', 'sampled', '--name', 'Sampled', '--stock', '2000', ...own]);
    await cli(['submit', 'sampled', '--users', '2000', '--prefix', 'user-10', ...own]);
    const probe = (await doctor(fit.url, ['--probe'])).bytesPerUser!;
    const sample = (await doctor(fit.url)).bytesPerUser!;
    expect(sample).toMatchObject({ from: 'sample', detail: expect.stringContaining('2,000 users of coupon sampled') });
    expect(Math.abs(sample.bytes - probe.bytes) / probe.bytes).toBeLessThan(0.2);
  });
});

describe('--for', () => {
  it('an event that fits: how long it takes to drain at the configured pace', async () => {
    const file = eventFile('coupons: [{ id: a, name: A, total: 10000 }, { id: b, name: B, total: 50 }]');
    const answer = await doctor(fit.url, ['--for', file, '--batch', '500', '--max-pending', '1000']);
    expect(answer).toMatchObject({ exitCode: 0, event: { coupons: 2, users: 10_050, fits: true, drainSeconds: 40 } });
    expect((await doctor(fit.url, ['--for', file, '--eager'])).event).toMatchObject({ drainSeconds: null });
  });

  it('an event that does not: exit code 2, and why', async () => {
    const file = eventFile('coupons: [{ id: a, name: A, total: 9000000, expiresAt: 2099-01-01T00:00:00Z }]');
    const answer = await doctor(fit.url, ['--for', file, '--batch', '1000']);
    expect(answer).toMatchObject({ exitCode: 2, event: { fits: false } });
    expect(answer.line('redis_memory')).toMatchObject({ verdict: 'problem', text: expect.stringContaining('9,000,000 users need') });
    expect((await doctor(fit.url, ['--for', file, '--users', '10'])).line('redis_memory').verdict).toBe('ok');
  });

  it('a file that is none', async () => {
    const result = await cli(['doctor', '--for', eventFile('coupons: 1'), ...at({ redisUrl: fit.url, databaseUrl: stores.databaseUrl })]);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('BAD_EVENT_FILE') });
  });
});

describe.skipIf(PGBOUNCER === null)('a pooler', () => {
  it('is recognised, and its limits are not known', async () => {
    await using pooler = await pgBouncer(stores.databaseUrl);
    const answer = await doctor(fit.url, [], pooler.url);
    expect(answer.line('postgres_pooler').text).toContain('through a pooler');
    expect(answer.line('postgres_connections').verdict).toBe('unknown');
  });
});
