import { scoreToMicros } from '../campaign/coupon.ts';
import { isUserId } from '../campaign/ids.ts';
import { SAMPLE_SIZE } from './tally.ts';
import { AHEAD_MS, type RedisUser } from '../campaign/ports/redis-reader.ts';

/** What an audit notices and does not count as a contradiction between the stores. */
export const NOTES = {
  score_no_time: 'waiting with a score that is no time: the next claim counts them as asking then',
  score_in_future: 'waiting with a request time in the future: check the clock and the time zone of the service that queued them',
  no_user_id: 'in the queue and no user ids, such as those that a JSON or JDK serializer wrote: the next claim dead-letters them',
  not_ours: 'keys that look like those of issued coupons and are not ours; they are left alone',
  key_expires:
    'keys of ours that expire, and with them what is known of accepted users: run PERSIST on each, and find the program that sets a TTL',
  hash_expires:
    'issued hashes that expire (the first 100 were looked at): services see no coupon then; run PERSIST, or let them live as long as the coupon',
  hash_rewritten: 'coupons whose hash the service that shares them has written anew: the next request or claim takes them back',
  not_seeded_here: 'coupons that have keys in Redis and were not seeded here; they were not looked at',
  serialised_key: 'keys that a JSON or JDK serializer spelled: nothing reads them; use a string serializer for keys',
} as const;

export type NoteCode = keyof typeof NOTES;

export interface AuditNote {
  code: NoteCode;
  /** Null: about no coupon. */
  couponId: string | null;
  count: number;
  /** The first user ids or keys that were met, escaped. */
  sample: string[];
}

/** Gathers the notes of an audit. */
export class AuditNotes {
  readonly #notes = new Map<string, AuditNote>();

  add(code: NoteCode, couponId: string | null, name: string): void {
    const id = `${code} ${couponId ?? ''}`;
    const note = this.#notes.get(id) ?? { code, couponId, count: 0, sample: [] };
    note.count += 1;
    if (note.sample.length < SAMPLE_SIZE) note.sample.push(name);
    this.#notes.set(id, note);
  }

  /** A user of the queue. */
  waiting(couponId: string, { userId, waiting }: RedisUser, nowMs: number): void {
    if (waiting === null) return;
    const micros = scoreToMicros(waiting);
    if (micros === null) this.add('score_no_time', couponId, userId);
    else if (micros > (nowMs + AHEAD_MS) * 1_000) this.add('score_in_future', couponId, userId);
    if (!isUserId(userId)) this.add('no_user_id', couponId, userId);
  }

  /** A key that is not ours, by its text. */
  foreignKey(key: string): void {
    this.add(/^("|\\xac\\xed)/.test(key) ? 'serialised_key' : 'not_ours', null, key);
  }

  reports(): AuditNote[] {
    return [...this.#notes.values()];
  }
}
