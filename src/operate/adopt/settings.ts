import { checkDefinition, MAX_TOTAL, type CouponDefinition, type Expiry } from '../../campaign/coupon.ts';
import { parseDuration } from '../../lib/duration.ts';
import { CouponError, usageError } from '../../lib/errors.ts';
import { printable } from '../../lib/text/visible.ts';
import { Renamed } from './fields.ts';
import { timeIn, type ReadingTimes } from './issued.ts';
import type { Fields, SaleState } from './ports.ts';
import { noNumber } from './problems.ts';
import { Counts } from './sample.ts';
import { plain, wholeNumber, type Serializer } from '../../lib/text/serialised.ts';

/** What a person says about the coupon, where the hash does not or is wrong. */
export interface Said {
  total: number | null;
  stock: number | null;
  name: string | null;
  state: SaleState | null;
}

export interface FoundCoupon {
  hash: Renamed;
  /** Null: it cannot be read; a problem says why. */
  definition: CouponDefinition | null;
  total: number | null;
  stock: number | null;
  /** As the hash has it; null: it has none. */
  totalThere: number | null;
  /** The same of the stock. */
  stockThere: number | null;
  /** What the stock is called there. */
  stockField: string;
  state: SaleState;
  serializers: Partial<Record<Serializer, number>>;
  problems: CouponError[];
}

const STATES: readonly string[] = ['open', 'paused', 'closed'] satisfies SaleState[];

/** The hash of the coupon, under our names. */
export function readCoupon(couponId: string, key: string, fields: Fields, said: Said, reading: ReadingTimes): FoundCoupon {
  const hash = new Renamed(fields, reading.map);
  const problems: CouponError[] = [];
  const serializers = new Counts<Serializer>();
  for (const [name, value] of Object.entries(fields)) {
    const { serializer } = plain(value);
    serializers.add(serializer);
    if (serializer === 'jdk' || plain(name).serializer === 'jdk') reading.problems.add('SERIALIZED_VALUES', `${key} ${name}`);
  }
  const stock = said.stock ?? readStock(hash, key, problems);
  const total = readTotal(hash, key, said.total, problems);
  const state = said.state ?? readState(hash, key, problems);
  const definition = readDefinition({ couponId, key, total, name: said.name }, hash, reading, problems);
  return {
    hash,
    definition,
    total,
    stock,
    totalThere: wholeNumber(hash.raw('total') ?? ''),
    stockThere: wholeNumber(hash.raw('stock') ?? ''),
    stockField: hash.writtenName('stock') ?? 'stock',
    state: state ?? 'open',
    serializers: serializers.toObject(),
    problems,
  };
}

function readStock(hash: Renamed, key: string, problems: CouponError[]): number | null {
  const found = hash.raw('stock');
  const stock = found === undefined ? null : wholeNumber(found);
  if (stock === null && !isJdk(found) && !hash.isMisnamed('stock')) {
    problems.push(noNumber('stock', key, found, 'Name the field with --field stock=NAME; or say what is left with --stock.'));
  }
  return stock;
}

function readTotal(hash: Renamed, key: string, said: number | null, problems: CouponError[]): number | null {
  const found = hash.raw('total');
  if (said !== null) return said;
  const total = found === undefined ? null : wholeNumber(found);
  if (total === null && !isJdk(found) && !hash.isMisnamed('total')) {
    problems.push(noNumber('total', key, found, 'Say how many there are with --total; or name the field with --field total=NAME.'));
  } else if (total !== null && (total < 0 || total > MAX_TOTAL)) {
    problems.push(usageError('TOTAL_UNKNOWN', `${printable(key)} has a total of ${total}`, 'Say how many there are with --total.'));
    return null;
  }
  return total;
}

function readState(hash: Renamed, key: string, problems: CouponError[]): SaleState | null {
  const found = hash.get('state');
  if (found === undefined || ['', 'null'].includes(found.trim().toLowerCase())) return 'open';
  const state = found.trim().toLowerCase();
  if (STATES.includes(state)) return state as SaleState;
  problems.push(
    usageError(
      'STATE_UNKNOWN',
      `${printable(key)} is in state "${printable(found, 40)}"`,
      'Say what that means with --state open, --state paused or --state closed.',
    ),
  );
  return null;
}

function readDefinition(
  { couponId, key, total, name }: { couponId: string; key: string; total: number | null; name: string | null },
  hash: Renamed,
  reading: ReadingTimes,
  problems: CouponError[],
): CouponDefinition | null {
  const [opensAt, closesAt, at] = (['opens_at', 'closes_at', 'ex_date'] as const).map((field) => timeIn(hash, field, key, reading));
  try {
    const expiry = expiryOf(at ?? null, hash.get('valid_for'), key);
    const found = hash.get('name')?.trim();
    const named = name ?? (found === undefined || found === '' ? couponId : found);
    const whole = { id: couponId, name: named, opensAt: opensAt ?? null, closesAt: closesAt ?? null, expiry };
    return checkDefinition({ ...whole, total: total ?? 0 });
  } catch (error) {
    if (!(error instanceof CouponError)) throw error;
    problems.push(error);
    return null;
  }
}

function expiryOf(at: Date | null, validFor: string | undefined, key: string): Expiry {
  const said = validFor?.trim().toLowerCase() ?? '';
  if (said === '' || said === 'null') return at ? { kind: 'at', at } : { kind: 'never' };
  if (at) throw usageError('EXPIRY_TWICE', `${printable(key)} has both ex_date and valid_for`, 'Remove one of them with HDEL.');
  return { kind: 'after', ms: parseDuration(said, `valid_for in ${printable(key)}`) };
}

function isJdk(text: string | undefined): boolean {
  return text !== undefined && plain(text).serializer === 'jdk';
}
