import { FINDING_CODES, type Facts, type FindingCode } from './findings.ts';

export interface FindingReport {
  code: FindingCode;
  couponId: string;
  /** Users it is about; 1 for a finding about the coupon itself. */
  count: number;
  /** The first user ids in order, at most {@link SAMPLE_SIZE}. */
  sample: string[];
  facts: Facts;
}

export const SAMPLE_SIZE = 10;

/**
 * Users counted exactly per code. SCAN may return an id twice; beyond this many the count may be too high by those, so that
 * memory stays bounded when everything is broken.
 */
const EXACT_COUNT = 100_000;

/** Gathers the findings of one coupon. */
export class AuditTally {
  readonly #couponId: string;
  readonly #except: ReadonlySet<string>;
  readonly #entries = new Map<FindingCode, { seen: Set<string>; count: number; sample: string[]; facts: Facts }>();

  /** @param except users who are left out */
  constructor(couponId: string, except: ReadonlySet<string> = new Set()) {
    this.#couponId = couponId;
    this.#except = except;
  }

  user(code: FindingCode, userId: string, facts: Facts): void {
    if (this.#except.has(userId)) return;
    const entry = this.#entry(code, facts);
    if (entry.seen.has(userId)) return;
    if (entry.seen.size < EXACT_COUNT) entry.seen.add(userId);
    entry.count += 1;
    const last = entry.sample.at(-1);
    if (entry.sample.length < SAMPLE_SIZE || last === undefined || userId < last) {
      entry.sample = [...entry.sample, userId].toSorted().slice(0, SAMPLE_SIZE);
    }
  }

  coupon(code: FindingCode, facts: Facts): void {
    this.#entry(code, facts).count = 1;
  }

  reports(): FindingReport[] {
    return FINDING_CODES.flatMap((code) => {
      const entry = this.#entries.get(code);
      return entry ? [{ code, couponId: this.#couponId, count: entry.count, sample: entry.sample, facts: entry.facts }] : [];
    });
  }

  /** Facts of a finding about users are those of the first one. */
  #entry(code: FindingCode, facts: Facts): { seen: Set<string>; count: number; sample: string[]; facts: Facts } {
    const there = this.#entries.get(code);
    if (there) return there;
    const entry = { seen: new Set<string>(), count: 0, sample: [], facts };
    this.#entries.set(code, entry);
    return entry;
  }
}
