import type { Expiry } from '../../campaign/coupon.ts';
import { isCompanion, isUserId } from '../../campaign/ids.ts';
import { Renamed, type FieldMap, type FieldName } from './fields.ts';
import type { AdoptionSource, IssuedKey } from './ports.ts';
import type { MetCode } from './problems.ts';
import { Samples } from './sample.ts';
import type { SourceKeys } from './source-keys.ts';
import { readTime } from './times.ts';
import { plain } from './values.ts';

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

export interface ReadingTimes {
  map: FieldMap;
  zone: string | undefined;
  problems: Samples<MetCode>;
}

export interface FoundIssuedKeys {
  users: Map<string, FoundIssued>;
  /** Keys that Spring Data keeps beside the hashes. */
  companions: Samples<'companion'>;
  unread: Samples<string>;
  /** Our names of fields that were there at least once, and the names of all. */
  met: Set<FieldName>;
  names: Set<string>;
}

/** Reads every issued key of another service. */
export async function readIssued(
  source: Pick<AdoptionSource, 'issued'>,
  keys: SourceKeys,
  reading: ReadingTimes,
): Promise<FoundIssuedKeys> {
  const found: FoundIssuedKeys = {
    users: new Map(),
    companions: new Samples(),
    unread: new Samples(),
    met: new Set(),
    names: new Set(),
  };
  for await (const page of source.issued(keys)) for (const one of page) readOne(one, reading, found);
  return found;
}

function readOne({ key, userId, fields, type }: IssuedKey, reading: ReadingTimes, found: FoundIssuedKeys): void {
  const { problems, map } = reading;
  if (isCompanion(userId)) found.companions.add('companion', key);
  else if (found.users.has(userId)) return;
  else if (fields === null) problems.add('ISSUED_WRONG_TYPE', `${key} (${type})`);
  else if (!isUserId(userId)) problems.add('BAD_USER_IDS', key);
  else {
    for (const [name, value] of Object.entries(fields))
      if (plain(name).serializer === 'jdk' || plain(value).serializer === 'jdk') problems.add('SERIALIZED_VALUES', `${key} ${name}`);
    const hash = new Renamed(fields, map);
    found.users.set(userId, issuedOf(hash, key, reading, fields['used_at'] ?? ''));
    for (const name of ['used_at', 'ex_date', 'requested_at', 'issued_at', 'revoked_at'] as const)
      if (hash.raw(name) !== undefined) found.met.add(name);
    for (const name of hash.names()) found.names.add(name);
    for (const name of hash.unread()) found.unread.add(name, key);
  }
}

function issuedOf(hash: Renamed, key: string, reading: ReadingTimes, seenUsedAt: string): FoundIssued {
  const time = (name: FieldName): Date | null => timeIn(hash, name, key, reading);
  return {
    requestedAt: time('requested_at'),
    issuedAt: time('issued_at'),
    expiresAt: hash.raw('ex_date') === undefined ? 'unsaid' : time('ex_date'),
    usedAt: time('used_at'),
    revokedAt: time('revoked_at'),
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
