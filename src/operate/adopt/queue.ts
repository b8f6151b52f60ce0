import { scoreToMicros, unitOfScore, type ScoreUnit } from '../../campaign/coupon.ts';
import { AHEAD_MS } from '../../campaign/ports/redis-reader.ts';
import { readMember } from './member.ts';
import type { MetCode } from './problems.ts';
import type { AdoptionSource } from './ports.ts';
import { Repeats } from './repeats.ts';
import { Counts, Samples } from './sample.ts';
import type { SourceKeys } from './source-keys.ts';
import type { Serializer } from '../../lib/text/serialised.ts';

/** A user who waits, with every member that stands for that user. */
export interface Waiting {
  /** The earliest request time, in microseconds. */
  us: number;
  members: Set<string>;
}

export interface FoundQueue {
  /** Users, each once. */
  count: number;
  /** Who may be there in several spellings; all others are there once. */
  several: Map<string, Waiting>;
  repeats: Repeats;
  /** Request times of those who have a coupon. */
  withCoupon: Map<string, number>;
  units: Partial<Record<ScoreUnit, number>>;
  serializers: Partial<Record<Serializer, number>>;
  /** Users who ask in the future, by the clock of Redis. */
  future: number;
  /** Microseconds; null: nobody waits. */
  oldestUs: number | null;
  latestUs: number | null;
  problems: Samples<MetCode>;
}

export interface ReadingQueue {
  memberField: string;
  nowMs: number;
  /** The issued keys that were met. */
  issued: Repeats;
}

/** Reads the whole queue of another service. */
export async function readQueue(
  source: Pick<AdoptionSource, 'queue' | 'haveIssued'>,
  keys: SourceKeys,
  { memberField, nowMs, issued }: ReadingQueue,
): Promise<FoundQueue> {
  const repeats = new Repeats();
  return await repeats.settle(async () => {
    const [units, serializers, problems] = [new Counts<ScoreUnit>(), new Counts<Serializer>(), new Samples<MetCode>()];
    const several = new Map<string, Waiting>();
    const withCoupon = new Map<string, number>();
    const oddities = new Set<string>();
    const sums = { count: 0, future: 0, oldestUs: null as number | null, latestUs: null as number | null };
    const add = (us: number): void => {
      sums.count += 1;
      if (us > (nowMs + AHEAD_MS) * 1_000) sums.future += 1;
      sums.oldestUs = Math.min(sums.oldestUs ?? us, us);
      sums.latestUs = Math.max(sums.latestUs ?? us, us);
    };
    for await (const page of source.queue(keys.queue)) {
      const readings = page.map(({ member, score }) => ({
        member,
        score,
        read: readMember(member, memberField),
        us: scoreToMicros(score),
      }));
      const mayHaveCoupon = readings.flatMap(({ read }) => ('userId' in read && issued.mayHaveMet(read.userId) ? [read.userId] : []));
      const found = await source.haveIssued(keys, mayHaveCoupon);
      const has = new Set(mayHaveCoupon.filter((_, i) => found[i]));
      for (const { member, score, read, us } of readings) {
        if ('problem' in read || us === null) {
          if (oddities.has(member)) continue;
          oddities.add(member);
          if (!('problem' in read)) problems.add('SCORES_NO_TIME', `${member} with ${score}`);
          else if (read.problem === 'jdk') problems.add('SERIALIZED_MEMBERS', member);
          else if (read.problem === 'no_field') problems.add('MEMBER_FIELD', `${member} (fields ${read.fields.join(', ')})`);
          else problems.add('BAD_USER_IDS', member);
          continue;
        }
        const { userId } = read;
        const known = several.get(userId);
        // A queue that is written to meanwhile may give a member twice.
        if (known?.members.has(member)) continue;
        serializers.add(read.serializer);
        units.add(unitOfScore(score));
        if (has.has(userId)) withCoupon.set(userId, Math.min(us, withCoupon.get(userId) ?? us));
        if (known) {
          known.members.add(member);
          known.us = Math.min(known.us, us);
        } else if (repeats.meet(userId)) several.set(userId, { us, members: new Set([member]) });
        else add(us);
      }
    }
    for (const { us } of several.values()) add(us);
    return { ...sums, several, repeats, withCoupon, units: units.toObject(), serializers: serializers.toObject(), problems };
  });
}
