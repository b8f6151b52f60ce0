import { scoreToMicros, unitOfScore, type ScoreUnit } from '../../campaign/coupon.ts';
import { AHEAD_MS } from '../../campaign/ports/redis-reader.ts';
import { readMember } from './member.ts';
import type { MetCode } from './problems.ts';
import type { AdoptionSource } from './ports.ts';
import { Counts, type Samples } from './sample.ts';
import type { Serializer } from './values.ts';

/** A user who waits, with every member that stands for that user. */
export interface Waiting {
  /** The earliest request time, in microseconds. */
  us: number;
  members: Set<string>;
}

export interface FoundQueue {
  users: Map<string, Waiting>;
  units: Partial<Record<ScoreUnit, number>>;
  serializers: Partial<Record<Serializer, number>>;
  /** Users who ask in the future, by the clock of Redis. */
  future: number;
}

/** Reads the whole queue of another service. */
export async function readQueue(
  source: Pick<AdoptionSource, 'queue'>,
  key: string,
  { memberField, nowMs, problems }: { memberField: string; nowMs: number; problems: Samples<MetCode> },
): Promise<FoundQueue> {
  const users = new Map<string, Waiting>();
  const [units, serializers] = [new Counts<ScoreUnit>(), new Counts<Serializer>()];
  const seen = new Set<string>();
  for await (const page of source.queue(key)) {
    for (const { member, score } of page) {
      if (seen.has(member)) continue;
      seen.add(member);
      const read = readMember(member, memberField);
      const us = scoreToMicros(score);
      if ('problem' in read) {
        if (read.problem === 'jdk') problems.add('SERIALIZED_MEMBERS', member);
        else if (read.problem === 'no_field') problems.add('MEMBER_FIELD', `${member} (fields ${read.fields.join(', ')})`);
        else problems.add('BAD_USER_IDS', member);
      } else if (us === null) problems.add('SCORES_NO_TIME', `${member} with ${score}`);
      else {
        serializers.add(read.serializer);
        units.add(unitOfScore(score));
        const known = users.get(read.userId);
        if (known) {
          known.members.add(member);
          known.us = Math.min(known.us, us);
        } else users.set(read.userId, { us, members: new Set([member]) });
      }
    }
  }
  let future = 0;
  for (const { us } of users.values()) if (us > (nowMs + AHEAD_MS) * 1_000) future += 1;
  return { users, units: units.toObject(), serializers: serializers.toObject(), future };
}
