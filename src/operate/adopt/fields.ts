import { usageError } from '../../lib/errors.ts';
import { nearest } from '../../lib/text/suggest.ts';
import type { Fields } from './ports.ts';
import { plain } from '../../lib/text/serialised.ts';

/** What is read of the coupon, and of an issued one. */
export const COUPON_FIELDS = ['name', 'total', 'stock', 'state', 'opens_at', 'closes_at', 'ex_date', 'valid_for'] as const;
export const ISSUED_FIELDS = ['ex_date', 'used_at', 'requested_at', 'issued_at', 'revoked_at'] as const;

export type FieldName = (typeof COUPON_FIELDS)[number] | (typeof ISSUED_FIELDS)[number];

/** Our names for fields, with those of the other service. */
export type FieldMap = Readonly<Partial<Record<FieldName, string>>>;

/** Fields that say nothing that this program would have to know. */
const WITHOUT_MEANING = new Set(['_class', '@class', 'id', 'userId', 'couponId', 'user_id', 'coupon_id']);
/** The program's own. */
const OWN = new Set([
  'epoch',
  'version',
  'run',
  'fence',
  'acked',
  'min_fence',
  'returned',
  'given_back',
  'suspect',
  'last_us',
  'drained_by',
  'window',
  'opens_ms',
  'closes_ms',
  'closed_ms',
]);

/** @throws CouponError `BAD_FIELD` for one that is not of the form `ours=theirs` */
export function parseFields(options: readonly string[]): FieldMap {
  const names: readonly string[] = [...new Set([...COUPON_FIELDS, ...ISSUED_FIELDS])];
  const map: Record<string, string> = {};
  for (const option of options) {
    const [, ours, theirs] = /^([^=]+)=(.+)$/.exec(option) ?? [];
    if (ours === undefined || theirs === undefined)
      throw bad(option, 'is not of the form OURS=THEIRS', 'Write such as --field total=totalQuantity.');
    if (!names.includes(ours)) {
      const near = nearest(ours, names);
      throw bad(
        option,
        `names no field of ours${near === null ? '' : `; did you mean ${near}=${theirs}?`}`,
        `Fields are ${names.join(', ')}.`,
      );
    }
    if (map[ours] !== undefined) throw bad(option, `names ${ours} twice`, 'Give each field once.');
    map[ours] = theirs;
  }
  return map;
}

/** One hash under our names. Where no name was given, that of ours counts, and its twin in camel case. */
export class Renamed {
  readonly #values = new Map<string, string>();
  /** Names as they are written: a serializer may have put them in quotes. */
  readonly #written = new Map<string, string>();
  readonly #map: FieldMap;
  readonly #asked = new Set<string>();

  constructor(fields: Fields, map: FieldMap) {
    this.#map = map;
    for (const [name, value] of Object.entries(fields)) {
      const { text } = plain(name);
      // What is written plainly is what this program, or a corrected service, has written since.
      if (text !== name && fields[text] !== undefined) continue;
      this.#values.set(text, value);
      this.#written.set(text, name);
    }
  }

  /** As it is written; undefined: not there. */
  raw(name: FieldName): string | undefined {
    const field = this.nameOf(name);
    return field === null ? undefined : this.#values.get(field);
  }

  /** What was meant; undefined: not there. */
  get(name: FieldName): string | undefined {
    const raw = this.raw(name);
    return raw === undefined ? undefined : plain(raw).text;
  }

  /** What the field is called there; null: not there. */
  nameOf(name: FieldName): string | null {
    const given = this.#map[name];
    const found = (given === undefined ? [name, camelCase(name)] : [given]).find((one) => this.#values.has(one));
    if (found !== undefined) this.#asked.add(found);
    return found ?? null;
  }

  /** The same, as it is written in the hash. */
  writtenName(name: FieldName): string | null {
    const field = this.nameOf(name);
    return field === null ? null : this.#written.get(field)!;
  }

  /** Whether a person gave a name that is not there: that is said by itself. */
  isMisnamed(name: FieldName): boolean {
    return this.#map[name] !== undefined && this.nameOf(name) === null;
  }

  /** Names that nobody asked for, and that may mean something. */
  unread(): string[] {
    return [...this.#values.keys()].filter((name) => !this.#asked.has(name) && !WITHOUT_MEANING.has(name) && !OWN.has(name));
  }

  names(): string[] {
    return [...this.#values.keys()];
  }
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
}

function bad(option: string, what: string, fix: string) {
  return usageError('BAD_FIELD', `--field: "${option}" ${what}`, fix);
}
