import { scoreToMicros, TIME_RANGES } from '../../campaign/coupon.ts';
import { AHEAD_MS, type QueueTimes } from '../../campaign/ports/redis-reader.ts';
import type { RedisConnection } from './connection/connection.ts';
import { repliesOf } from './keys/replies.ts';

/** What the scores of a queue say, without walking over it: each unit has a range of scores that are times. */
export async function queueTimes(connection: RedisConnection, key: string, nowMs: number): Promise<QueueTimes> {
  const commands = connection.together().zcard(key);
  for (const [i, { from, below }] of TIME_RANGES.entries()) {
    const soon = ((nowMs + AHEAD_MS) / 1_000) * 10 ** (3 * i);
    commands
      .zcount(key, from, `(${below}`)
      .zcount(key, `(${soon}`, `(${below}`)
      .zrange(key, from, `(${below}`, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES');
  }
  const [waiting, ...replies] = (await repliesOf(commands)) as [number, ...unknown[]];
  const times: QueueTimes = { oldestUs: null, timeless: waiting, future: 0 };
  for (const i of TIME_RANGES.keys()) {
    const [known, future, first] = replies.slice(3 * i, 3 * i + 3) as [number, number, unknown[]];
    times.timeless -= known;
    times.future += future;
    const score = first.flat()[1];
    const us = score === undefined ? null : scoreToMicros(Number(score));
    if (us !== null) times.oldestUs = Math.min(times.oldestUs ?? us, us);
  }
  return times;
}
