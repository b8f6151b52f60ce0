import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

/** Issued users of the large coupon; the small one has a tenth. With fewer, growing to a working size is most of what a process does. */
const MANY = Number(process.env['COUPON_TEST_ROWS'] ?? 0);
const FEW = MANY / 10;
/** Largest resident size with ten times as many users. */
const AT_MOST = 1.3;

const RUNS = process.platform === 'linux' && MANY > 0;

const CHUNK = 10_000;
/** Midnight of the day of all requests; one request each millisecond, a hundred in a claim. */
const DAY = '2026-11-01';
const BASE_US = Date.parse(`${DAY}T00:00:00Z`) * 1_000;

/** Everybody from ARGV[2] to ARGV[3], as admission and drain leave them. */
const LOAD = `
local function iso(ms)
  local s = math.floor(ms / 1000)
  return string.format('${DAY}T%02d:%02d:%02d.%03dZ', math.floor(s / 3600), math.floor(s / 60) % 60, s % 60, ms % 1000)
end
for n = ARGV[2], ARGV[3] do
  local user = 'user-' .. n
  redis.call('HSET', 'coupon_admitted:' .. ARGV[1], user, string.format('%.0f', ${BASE_US} + n * 1000) .. ':r' .. n)
  redis.call('HSET', 'issued_coupon:coupon:' .. ARGV[1] .. '-user:' .. user, 'userId', user, 'couponId', ARGV[1], 'ex_date', '',
    'used_at', '', 'requested_at', iso(n), 'issued_at', iso(n + 1000))
end`;

const ROWS = `
  INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, worker, fence, deliveries)
  SELECT $1, 'user-' || n, to_timestamp(us / 1000 / 1000.0), us, to_timestamp((us / 1000 + 1000) / 1000.0), NULL, 'test', (n - 1) / 100 + 1, 1
  FROM generate_series(1, $2::integer) AS n, LATERAL (SELECT ${BASE_US}::bigint + n * 1000 AS us) AS request`;

/** The same number as another service leaves them: every second one waits, and the others have a coupon. */
const LOAD_FOREIGN = `
for n = ARGV[2], ARGV[3] do
  local user = 'user-' .. n
  if n % 2 == 0 then
    redis.call('ZADD', 'coupon_waiting_queue:' .. ARGV[1], ${BASE_US / 1_000} + n, user)
  else
    redis.call('HSET', 'issued_coupon:coupon:' .. ARGV[1] .. '-user:' .. user, 'userId', user, 'couponId', ARGV[1], 'used_at', '')
  end
end`;

let stores: TestStores;

beforeAll(async () => {
  if (!RUNS) return;
  stores = await openStores({ durable: false });
  for (const [id, users] of [
    ['few', FEW],
    ['many', MANY],
  ] as const) {
    await stores.seed({ id, total: users });
    await stores.sql(ROWS, [id, users]);
    const fence = Math.ceil(users / 100);
    await stores.sql('UPDATE coupons SET issued_quantity = $2, max_fence = $3 WHERE id = $1', [id, users, fence]);
    for (let first = 1; first <= users; first += CHUNK) {
      await stores.redis.eval(LOAD, 0, id, String(first), String(Math.min(first + CHUNK - 1, users)));
    }
    await stores.redis.hset(`coupon:${id}`, {
      stock: '0',
      fence: String(fence),
      acked: String(fence),
      last_us: String(BASE_US + users * 1_000),
    });
  }
  await stores.sql('ANALYZE issued_coupons');
}, 1_800_000);
afterAll(() => stores?.[Symbol.asyncDispose]());

/** Largest resident size of a process so far, megabytes; null when it has ended. */
function peakMb(pid: number): number | null {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
  } catch {
    return null;
  }
}

interface Ran {
  peak: number;
  stdout: string;
}

/** @param late nothing is read of the output until the process has come to rest */
async function run(
  argv: readonly string[],
  { env = {}, late = false }: { env?: Record<string, string>; late?: boolean } = {},
): Promise<Ran> {
  const { child, finished } = start([...at(stores), ...argv], { env });
  const pid = child.pid!;
  let peak = 0;
  if (late) {
    child.stdout!.pause();
    // Half of a buffer would be a rest, too: it has to be quiet for a while after it has begun.
    for (let quiet = 0, cpu = ''; quiet < 20; await delay(100)) {
      const now = cpuOf(pid);
      quiet = now === cpu && child.stdout!.readableLength > 0 ? quiet + 1 : 0;
      cpu = now;
    }
    child.stdout!.resume();
  }
  for (let size: number | null; (size = peakMb(pid)) !== null; await delay(10)) peak = size;
  const { exitCode, stdout, stderr } = await finished;
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stdout.slice(0, 2_000)}${stderr}`);
  return { peak, stdout };
}

/** Time that a process has computed, in ticks. */
function cpuOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13, 15).join(' ');
}

async function growth(command: (coupon: string) => Promise<Ran>): Promise<number> {
  const [few, many] = [(await command('few')).peak, (await command('many')).peak];
  console.log(`${MANY} : ${FEW} issued users, peak memory: ${many.toFixed(0)} MB : ${few.toFixed(0)} MB`);
  return many / few;
}

const lines = (text: string): number => text.split('\n').length - 1;

describe.runIf(RUNS)(`ten times as many issued users take no more memory (${MANY})`, { timeout: 1_800_000 }, () => {
  test('to audit', async () => {
    const command = async (coupon: string): Promise<Ran> => {
      const ran = await run(['--json', 'audit', coupon]);
      expect(JSON.parse(ran.stdout)).toMatchObject({ coupons: [{ issued: coupon === 'few' ? FEW : MANY }] });
      return ran;
    };
    expect(await growth(command)).toBeLessThanOrEqual(AT_MOST);
  });

  test('to export to a reader that is slower', async () => {
    const command = async (coupon: string): Promise<Ran> => {
      const ran = await run(['export', coupon], { late: true });
      expect(lines(ran.stdout)).toBe(1 + (coupon === 'few' ? FEW : MANY));
      return ran;
    };
    expect(await growth(command)).toBeLessThanOrEqual(AT_MOST);
  });

  test('to export to a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
    const command = async (coupon: string): Promise<Ran> => {
      const file = join(folder, coupon);
      const ran = await run(['export', coupon, '--format', 'jsonl', '--out', file]);
      expect(statSync(file).size).toBeGreaterThan((coupon === 'few' ? FEW : MANY) * 50);
      rmSync(file);
      return ran;
    };
    expect(await growth(command)).toBeLessThanOrEqual(AT_MOST);
  });

  test('to adopt what another service has begun', async () => {
    const command = async (coupon: string): Promise<Ran> => {
      const users = coupon === 'few' ? FEW : MANY;
      const id = `adopt-${coupon}`;
      for (let first = 1; first <= users; first += CHUNK)
        await stores.redis.eval(LOAD_FOREIGN, 0, id, String(first), String(Math.min(first + CHUNK - 1, users)));
      await stores.redis.hset(`coupon:${id}`, { name: 'Shop', total: users + 1, stock: 1 });
      const ran = await run(['--json', 'adopt', id]);
      expect(JSON.parse(ran.stdout)).toMatchObject({ outcome: 'adopted', plan: { waiting: users / 2, issued: users / 2 } });
      return ran;
    };
    expect(await growth(command)).toBeLessThanOrEqual(AT_MOST);
  });

  test('and an export that kept every row would be found', async () => {
    const leak = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'leak.mjs');
    writeFileSync(
      leak,
      `import { createRequire } from 'node:module';
      const Result = createRequire(${JSON.stringify(import.meta.url)})('pg/lib/result.js');
      const { addRow } = Result.prototype;
      const kept = (globalThis.kept = []);
      Result.prototype.addRow = function (row) { kept.push(row); return addRow.call(this, row); };`,
    );
    const env = { NODE_OPTIONS: `--import=${pathToFileURL(leak).href}` };
    const out = mkdtempSync(join(tmpdir(), 'coupon-'));
    expect(await growth((coupon) => run(['export', coupon, '--out', join(out, coupon)], { env }))).toBeGreaterThan(AT_MOST);
  });
});
