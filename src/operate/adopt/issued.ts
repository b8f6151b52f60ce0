import type { Expiry } from '../../campaign/coupon.ts';
import { happened } from '../../campaign/foreign-time.ts';
import { isCompanion, isUserId } from '../../campaign/ids.ts';
import { Renamed, type FieldMap, type FieldName } from './fields.ts';
import type { AdoptionSource, IssuedKey } from './ports.ts';
import type { MetCode } from './problems.ts';
import { Repeats } from './repeats.ts';
import { Samples } from './sample.ts';
import type { SourceKeys } from './source-keys.ts';
import { readTime } from './times.ts';
import { plain } from '../../lib/text/serialised.ts';

/** An issued coupon as the other service's hash has it; null: it says nothing about that. */
export interface FoundIssued {
  requestedAt: Date | null;
  issuedAt: Date | null;
  /** `unsaid`: the expiry of the coupon counts. */
  expiresAt: Date | null | 'unsaid';
  usedAt: Date | null;
  revokedAt: Date | null;
  /** `used_at` of the hash as it is written; empty: there is none. */
  seenUsedAt: string;
}

/** How hashes are read. */
export interface Reading {
  map: FieldMap;
  zone: string | undefined;
}

export interface ReadingTimes extends Reading {
  problems: Samples<MetCode>;
}

export interface FoundIssuedKeys {
  /** Users, each once. */
  count: number;
  used: number;
  revoked: number;
  withoutTime: number;
  repeats: Repeats;
  problems: Samples<MetCode>;
  /** Keys that Spring Data keeps beside the hashes. */
  companions: Samples<'companion'>;
  unread: Samples<string>;
  /** Our names of fields that were there at least once, and the names of all. */
  met: Set<FieldName>;
  names: Set<string>;
}

/** Reads every issued key of another service. */
export async function readIssued(source: Pick<AdoptionSource, 'issued'>, keys: SourceKeys, reading: Reading): Promise<FoundIssuedKeys> {
  const repeats = new Repeats();
  return await repeats.settle(async () => {
    const found: FoundIssuedKeys = {
      count: 0,
      used: 0,
      revoked: 0,
      withoutTime: 0,
      repeats,
      problems: new Samples(),
      companions: new Samples(),
      unread: new Samples(),
      met: new Set(),
      names: new Set(),
    };
    // A scan may give a key twice.
    const doubtful = new Set<string>();
    for await (const page of source.issued(keys)) {
      for (const one of page) {
        if (doubtful.has(one.userId)) continue;
        if (repeats.meet(one.userId)) doubtful.add(one.userId);
        readOne(one, reading, found);
      }
    }
    return found;
  });
}

function readOne({ key, userId, fields, type }: IssuedKey, { map, zone }: Reading, found: FoundIssuedKeys): void {
  const { problems } = found;
  if (isCompanion(userId)) found.companions.add('companion', key);
  else if (fields === null) problems.add('ISSUED_WRONG_TYPE', `${key} (${type})`);
  else if (!isUserId(userId)) problems.add('BAD_USER_IDS', key);
  else {
    for (const [name, value] of Object.entries(fields))
      if (plain(name).serializer === 'jdk' || plain(value).serializer === 'jdk') problems.add('SERIALIZED_VALUES', `${key} ${name}`);
    const hash = new Renamed(fields, map);
    const { usedAt, revokedAt, issuedAt, requestedAt } = issuedOf(hash, key, { map, zone, problems }, fields['used_at'] ?? '');
    found.count += 1;
    if (usedAt) found.used += 1;
    if (revokedAt) found.revoked += 1;
    if (!issuedAt && !requestedAt) found.withoutTime += 1;
    for (const name of ['used_at', 'ex_date', 'requested_at', 'issued_at', 'revoked_at'] as const)
      if (hash.raw(name) !== undefined) found.met.add(name);
    for (const name of hash.names()) found.names.add(name);
    for (const name of hash.unread()) found.unread.add(name, key);
  }
}

/** Null: no issued coupon of a user. What is wrong with it was named when everything was looked at. */
export function foundIssued({ key, userId, fields }: IssuedKey, { map, zone }: Reading): FoundIssued | null {
  if (fields === null || isCompanion(userId) || !isUserId(userId)) return null;
  return issuedOf(new Renamed(fields, map), key, { map, zone, problems: new Samples() }, fields['used_at'] ?? '');
}

function issuedOf(hash: Renamed, key: string, reading: ReadingTimes, seenUsedAt: string): FoundIssued {
  const time = (name: FieldName): Date | null => timeIn(hash, name, key, reading);
  return {
    requestedAt: time('requested_at'),
    issuedAt: time('issued_at'),
    expiresAt: hash.raw('ex_date') === undefined ? 'unsaid' : time('ex_date'),
    usedAt: happened(time('used_at'), Date.now()),
    revokedAt: happened(time('revoked_at'), Date.now()),
    seenUsedAt,
  };
}

/** A time in a field; null for none, and for what is noted as a problem. */
export function timeIn(hash: Renamed, name: FieldName, key: string, { zone, problems }: Omit<ReadingTimes, 'map'>): Date | null {
  const raw = hash.raw(name);
  const read = readTime(raw, zone);
  if (read.kind === 'time') return read.at;
  if (plain(raw ?? '').serializer === 'jdk') return null; // named by itself
  const example = `${key} ${hash.nameOf(name) ?? name} "${raw ?? ''}"`;
  if (read.kind === 'unreadable') problems.add('UNREADABLE_TIMES', example);
  if (read.kind === 'no_zone') problems.add('TIMES_WITHOUT_ZONE', example);
  if (read.kind === 'skipped_by_clocks') problems.add('SKIPPED_BY_CLOCKS', example);
  return null;
}

export function expiryAt(expiry: Expiry, issuedAt: Date): Date | null {
  if (expiry.kind === 'after') return new Date(issuedAt.getTime() + expiry.ms);
  return expiry.kind === 'at' ? expiry.at : null;
}
