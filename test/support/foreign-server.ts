/**
 * Somebody else's service: an HTTP server that does the report's steps on a real Redis, and a scheduler that moves the queue into
 * a table of its own. `correct` is done right; every other variant has the fault of its name.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { TestStores } from './stores.ts';

export type ForeignVariant =
  | 'correct'
  /** EXISTS, HINCRBY, ZADD NX, one after the other. */
  | 'three_calls'
  /** The scheduler serves the queue from its newest end. */
  | 'newest_first'
  /** Pops a batch, then dies before it has inserted it. The next one goes on with the rest. */
  | 'pop_then_crash'
  /** Inserts the first of each batch twice. */
  | 'double_issue'
  /** Issues to somebody whom it told that all is gone. */
  | 'issues_to_refused'
  /** There is no scheduler. */
  | 'never_issues';

export interface ForeignServer extends AsyncDisposable {
  url: string;
  /** Ids of those who were given a coupon, as its table has them. */
  issued(): Promise<string[]>;
}

export interface ForeignOptions {
  variant?: ForeignVariant;
  total: number;
  batch?: number;
  everyMs?: number;
}

export const FOREIGN_TABLE = `CREATE TABLE IF NOT EXISTS member_coupon (
  id bigserial PRIMARY KEY, coupon_id text NOT NULL, member_id text NOT NULL,
  requested_at timestamptz NOT NULL, issued_at timestamptz NOT NULL DEFAULT now(), batch bigint NOT NULL)`;

/** KEYS: coupon, queue, members, issued key of the user. ARGV: user. Returns 1 accepted, 2 duplicate, 3 sold out. */
const ADMIT = `
if redis.call('EXISTS', KEYS[4]) == 1 or redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then return 2 end
if tonumber(redis.call('HGET', KEYS[1], 'stock')) <= 0 then return 3 end
local time = redis.call('TIME')
local us = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('HGET', KEYS[1], 'last') or '0') + 1)
redis.call('HSET', KEYS[1], 'last', string.format('%.0f', us))
redis.call('HINCRBY', KEYS[1], 'stock', -1)
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[2], string.format('%.0f', us), ARGV[1])
return 1`;

/** Sets one coupon up in empty stores and serves it. */
export async function foreignServer(stores: TestStores, couponId: string, options: ForeignOptions): Promise<ForeignServer> {
  const { variant = 'correct', total, batch = 20, everyMs = 10 } = options;
  const { redis } = stores;
  const coupon = `coupon:${couponId}`;
  const queue = `coupon_waiting_queue:${couponId}`;
  const issuedKey = (userId: string): string => `issued_coupon:coupon:${couponId}-user:${userId}`;
  await redis.hset(coupon, { name: 'Summer', total, stock: total });
  await stores.sql(FOREIGN_TABLE);

  const admit = async (userId: string): Promise<Answer> => {
    if (variant === 'three_calls') {
      if (await redis.exists(issuedKey(userId))) return 'ALREADY_REQUESTED';
      if ((await redis.hincrby(coupon, 'stock', -1)) < 0) return 'SOLD_OUT';
      await redis.zadd(queue, 'NX', Date.now(), userId);
      return 'ACCEPTED';
    }
    const code = await redis.eval(ADMIT, 4, coupon, queue, `coupon_members:${couponId}`, issuedKey(userId), userId);
    return code === 1 ? 'ACCEPTED' : code === 2 ? 'ALREADY_REQUESTED' : 'SOLD_OUT';
  };

  let refused: string | null = null;
  const server = createServer((request, reply) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'GET') return answer(reply, request.url === '/actuator/health' ? 200 : 404, 'UP');
      const { memberId } = JSON.parse(body) as { memberId: string };
      return void admit(memberId).then((code) => {
        if (code === 'SOLD_OUT') refused ??= memberId;
        answer(reply, code === 'ACCEPTED' ? 202 : 409, code);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  let turn = 0;
  const issue = async (entries: Entry[]): Promise<void> => {
    turn += 1;
    const rows = entries.flatMap((entry, index) => (variant === 'double_issue' && index === 0 ? [entry, entry] : [entry]));
    await stores.sql(
      `INSERT INTO member_coupon (coupon_id, member_id, requested_at, batch)
       SELECT $1, member_id, requested_at, $4 FROM unnest($2::text[], $3::timestamptz[]) AS entry (member_id, requested_at)`,
      [couponId, rows.map(({ userId }) => userId), rows.map(({ score }) => moment(score)), turn],
    );
    const hashes = redis.pipeline();
    for (const { userId } of entries) hashes.hset(issuedKey(userId), { userId, couponId, ex_date: '', used_at: '' });
    await hashes.exec();
  };
  const stop = new AbortController();
  const scheduled = (async () => {
    if (variant === 'never_issues') return;
    while (!stop.signal.aborted) {
      await sleep(everyMs);
      // So that the order of serving shows, and who asks again is not yet issued.
      if ((variant === 'newest_first' || variant === 'three_calls') && Number(await redis.hget(coupon, 'stock')) > 0) continue;
      if (variant === 'three_calls' || variant === 'pop_then_crash') {
        const popped = entriesOf(await redis.zpopmin(queue, batch));
        if (variant === 'pop_then_crash' && turn === 1 && popped.length > 0) turn += 1;
        else if (popped.length > 0) await issue(popped);
      } else {
        const oldest = await peek(redis, queue, batch, variant === 'newest_first');
        if (oldest.length > 0) {
          await issue(oldest);
          await redis.zrem(queue, ...oldest.map((entry) => entry.userId));
        }
      }
      if (variant === 'issues_to_refused' && refused) await issue([{ userId: refused, score: Date.now() }]).then(() => (refused = null));
    }
  })();

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    issued: async () => (await stores.sql('SELECT member_id FROM member_coupon ORDER BY id')).map((row) => String(row['member_id'])),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await scheduled;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Answer = 'ACCEPTED' | 'ALREADY_REQUESTED' | 'SOLD_OUT';

interface Entry {
  userId: string;
  score: number;
}

function answer(reply: ServerResponse, status: number, code: string): void {
  const body = JSON.stringify({ code });
  reply.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

async function peek(redis: Redis, queue: string, count: number, newest: boolean): Promise<Entry[]> {
  const last = String(count - 1);
  return entriesOf((await (newest ? redis.zrevrange(queue, 0, last, 'WITHSCORES') : redis.zrange(queue, 0, last, 'WITHSCORES'))).flat());
}

function entriesOf(flat: readonly unknown[]): Entry[] {
  const list = flat.flat();
  return Array.from({ length: list.length / 2 }, (_, index) => ({ userId: String(list[2 * index]), score: Number(list[2 * index + 1]) }));
}

/** A score of milliseconds or microseconds as PostgreSQL reads it. */
function moment(score: number): string {
  const us = score > 1e14 ? score : score * 1_000;
  const whole = new Date(Math.floor(us / 1_000)).toISOString().slice(0, -1);
  return `${whole}${String(us % 1_000).padStart(3, '0')}Z`;
}
