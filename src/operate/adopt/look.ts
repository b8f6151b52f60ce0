import { isoTime } from '../../campaign/coupon.ts';
import { WrongTypeError, type WrongType } from '../../campaign/wrong-type.ts';
import { CouponError } from '../../lib/errors.ts';
import { keysTaken } from '../seed-plan.ts';
import type { FieldMap, FieldName } from './fields.ts';
import { readIssued, type FoundIssuedKeys } from './issued.ts';
import { numbersProblem } from './numbers.ts';
import { expiryText, type FullPlan } from './plan.ts';
import type { AdoptionSource, Fields } from './ports.ts';
import { metProblem, notFound, unknownField, type MetCode } from './problems.ts';
import { readQueue, type FoundQueue } from './queue.ts';
import { Samples, SAMPLE_SIZE, type Sampled } from './sample.ts';
import { readCoupon, type FoundCoupon, type Said } from './settings.ts';
import { sourceKeys, type KeyTemplates, type SourceKeys } from './source-keys.ts';

export interface LookOptions extends Said {
  templates: KeyTemplates;
  fields: FieldMap;
  /** In which times without one are meant; undefined: such times are refused. */
  zone: string | undefined;
  /** Of the user id, where members of the queue are JSON objects. */
  memberField: string;
}

/**
 * Reads everything that the other service has written of a coupon, and makes a plan of it. Nothing is changed.
 *
 * @param epoch of the ledger's coupon, whose adoption was begun before; null: it has none
 * @throws CouponError `BAD_KEY_TEMPLATE`, `COUPON_NOT_IN_REDIS`, `REDIS_KEYS_TAKEN`, `KEY_WRONG_TYPE`
 */
export async function look(source: AdoptionSource, couponId: string, options: LookOptions, epoch: string | null): Promise<FullPlan> {
  const own = source.ownKeys(couponId);
  const keys = sourceKeys(options.templates, couponId, own);
  const problems = new Samples<MetCode>();
  const nowMs = await source.now();
  const skipped = await foreignKeys(source, keys, problems);
  await checkOwn(source, couponId, keys, own, epoch);
  const wrong = (await source.wrongType(keys.hash, 'hash')) ?? (await source.wrongType(keys.queue, 'zset'));
  if (wrong) throw refusedType(wrong);
  const fields = await hashOf(source, couponId, keys, problems);

  const { zone, fields: map } = options;
  const { memberField } = options;
  const reading = { map, zone, memberField };
  const coupon = readCoupon(couponId, keys.hash, fields, options, { map, zone, problems });
  const issued = await readIssued(source, keys, reading);
  const queue = await readQueue(source, keys, { memberField, nowMs, issued: issued.repeats });
  problems.addAll(queue.problems);
  problems.addAll(issued.problems);
  return planOf({ couponId, keys, own, nowMs, reading }, { coupon, queue, issued, skipped }, problems);
}

interface Found {
  coupon: FoundCoupon;
  queue: FoundQueue;
  issued: FoundIssuedKeys;
  skipped: Sampled;
}

function planOf(
  where: Pick<FullPlan, 'keys' | 'own' | 'nowMs' | 'reading'> & { couponId: string },
  { coupon, queue, issued, skipped }: Found,
  met: Samples<MetCode>,
): FullPlan {
  const { couponId, keys, own, nowMs, reading } = where;
  const { definition, total, stock, totalThere, state } = coupon;
  const both = queue.withCoupon.size;
  const waiting = queue.count - both;
  const problems = [
    ...met.entries().map(([code, sampled]) => metProblem(code, sampled)),
    ...coupon.problems,
    ...unknownFields(reading.map, coupon, issued),
  ];
  const numbers = { waiting, issued: issued.count };
  // Where some could not be read, the sum says nothing.
  const off = total !== null && stock !== null && problems.length === 0 ? numbersProblem({ total, stock, ...numbers }) : null;
  if (off) problems.push(off);
  const companions = issued.companions.entries()[0]?.[1] ?? { count: 0, sample: [] };
  const shown = {
    couponId,
    keys: { hash: keys.hash, queue: keys.queue, issued: `${keys.issued.head}{user}${keys.issued.tail}` },
    name: definition?.name ?? couponId,
    total,
    stock,
    ...(totalThere !== null && totalThere !== total ? { totalThere } : {}),
    ...(keys.hash === own.hash && coupon.stockField === 'stock' ? {} : { stockElsewhere: `${coupon.stockField} of ${keys.hash}` }),
    state,
    opensAt: isoTime(definition?.opensAt ?? null),
    closesAt: isoTime(definition?.closesAt ?? null),
    expiry: definition ? expiryText(definition) : '',
    ...numbers,
    used: issued.used,
    revoked: issued.revoked,
    issuedAndWaiting: both,
    severalTimes: [...queue.several.values()].filter(({ members }) => members.size > 1).length,
    scores: { units: queue.units, oldest: isoOf(queue.oldestUs), latest: isoOf(queue.latestUs), future: queue.future },
    serializers: { hash: coupon.serializers, members: queue.serializers },
    issuedWithoutTime: issued.withoutTime,
    skipped: {
      count: companions.count + skipped.count,
      sample: [...companions.sample, ...skipped.sample].slice(0, SAMPLE_SIZE),
    },
    unread: [
      ...coupon.hash.unread().map((field) => ({ field, count: 1 })),
      ...issued.unread.entries().map(([field, { count }]) => ({ field, count })),
    ],
  };
  const sharedStockField = keys.hash === own.hash ? coupon.stockField : null;
  const counts = sharedStockField !== null && coupon.stockThere !== null && stock !== null;
  const finalStock = counts ? { field: sharedStockField, by: stock - coupon.stockThere! } : { field: null, by: 0 };
  const whole = problems.length === 0 ? definition : null;
  return { shown, problems, definition: whole, sharedStockField, finalStock, queue, reading, keys, own, nowMs };
}

function isoOf(us: number | null): string {
  return us === null ? '' : new Date(Math.floor(us / 1_000)).toISOString();
}

/** A name that somebody gave and that is nowhere is a slip. */
function unknownFields(map: FieldMap, { hash }: FoundCoupon, issued: FoundIssuedKeys): CouponError[] {
  const given = Object.entries(map) as [FieldName, string][];
  const there = [...new Set([...hash.names(), ...issued.names])];
  return given
    .filter(([name]) => hash.nameOf(name) === null && !issued.met.has(name))
    .map(([name, theirs]) => unknownField(`${name}=${theirs}`, there));
}

/** Keys of this program that have nothing to do with the other service's would be mixed up with them. */
async function checkOwn(source: AdoptionSource, couponId: string, keys: SourceKeys, own: SourceKeys, epoch: string | null): Promise<void> {
  const there = await source.own(couponId);
  if (epoch !== null && (there.epoch === epoch || there.epoch === '')) return;
  if (there.epoch !== '' || (there.hash && keys.hash !== own.hash)) throw keysTaken(couponId, 'foreign');
  if (there.records || (there.queue && keys.queue !== own.queue)) throw keysTaken(couponId, 'leftovers');
}

async function hashOf(source: AdoptionSource, couponId: string, keys: SourceKeys, problems: Samples<MetCode>): Promise<Fields> {
  const fields = await source.hash(keys.hash);
  if (fields) return fields;
  const serialized = problems.entries().find(([code]) => code === 'SERIALIZED_KEYS');
  throw serialized ? metProblem(...serialized) : notFound(couponId, keys.hash);
}

/** The same error as elsewhere, and a refusal: nothing was begun. */
function refusedType(wrong: WrongType): CouponError {
  const { code, message, fix } = new WrongTypeError(wrong);
  return new CouponError({ code, kind: 'usage', message, why: 'a coupon is a hash here, and its queue a sorted set', fix });
}

/** Companions that are left alone, and keys of this coupon that a serializer spelled. */
async function foreignKeys(source: AdoptionSource, keys: SourceKeys, problems: Samples<MetCode>): Promise<Sampled> {
  const skipped = new Samples<'skipped'>();
  for await (const page of source.foreignKeys()) {
    for (const key of page) {
      const inner = spelled(key);
      if (inner === null) {
        if (!isIssuedKey(key, keys)) skipped.add('skipped', key);
      } else if (inner === keys.hash || inner === keys.queue || inner.startsWith(keys.issued.head)) problems.add('SERIALIZED_KEYS', key);
    }
  }
  return skipped.entries()[0]?.[1] ?? { count: 0, sample: [] };
}

function isIssuedKey(key: string, { issued }: SourceKeys): boolean {
  return key.startsWith(issued.head) && key.endsWith(issued.tail);
}

/** What a JSON or JDK serializer has spelled; null: none has. */
function spelled(key: string): string | null {
  if (key.startsWith('"')) return key.replace(/^"|"$/g, '');
  const byte = String.raw`(?:\\x[0-9a-f]{2}|[^])`;
  return new RegExp(String.raw`^\\xac\\xed\\x00\\x05t${byte}${byte}([^]*)$`).exec(key)?.[1] ?? null;
}
