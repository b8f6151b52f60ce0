/**
 * What `audit` can find: one code for each way in which the stores can contradict each other or themselves. The codes are
 * stable, scripts match on them. `about` says whether a finding counts users (and names some) or is about the coupon itself.
 *
 * No finding, because it heals by itself or harms no user: a user between claim and ack, whatever happened to the worker
 * (`inFlight`); a lease that ran out; a queue member that another service wrote (`adoptable`); a dead-lettered user,
 * whose coupon stays spent; an issued or dead user that another service queued again.
 */
export const FINDINGS = {
  over_issued: { about: 'coupon', breaks: 'never over-issue', meaning: 'the ledger holds more issued coupons than the total' },
  over_admitted: { about: 'coupon', breaks: 'never over-issue', meaning: 'more users were accepted than the total' },
  stock_mismatch: { about: 'coupon', breaks: 'never over-issue', meaning: 'the stock in Redis does not fit the users who were accepted' },
  stock_missing: { about: 'coupon', breaks: 'never over-issue', meaning: 'the stock in Redis is missing or not a number' },
  total_mismatch: { about: 'coupon', breaks: 'never over-issue', meaning: 'Redis has another total than the ledger' },
  issued_quantity_mismatch: {
    about: 'coupon',
    breaks: 'never over-issue',
    meaning: "the ledger's counters differ from the rows they count",
  },
  lost: { about: 'users', breaks: 'never lose a user', meaning: 'accepted, but neither waiting, claimed, dead nor issued' },
  lease_without_claim: {
    about: 'users',
    breaks: 'never lose a user',
    meaning: 'leased without a claim record: no worker would ever take this back',
  },
  claim_without_lease: { about: 'users', breaks: 'never lose a user', meaning: 'a claim record without a lease, and not waiting' },
  lease_absurd: {
    about: 'users',
    breaks: 'never lose a user',
    meaning: 'leased for more than twice the length of the lease: the clock was set back',
  },
  hash_missing: { about: 'users', breaks: 'never lose a user', meaning: 'issued in the ledger, without an issued hash in Redis' },
  coupon_missing: { about: 'coupon', breaks: 'never lose a user', meaning: 'the ledger has the coupon, Redis does not' },
  redis_behind: {
    about: 'coupon',
    breaks: 'never lose a user',
    meaning: 'Redis is behind the ledger: it lost data, or was restored from an older file',
  },
  ledger_behind: {
    about: 'coupon',
    breaks: 'never lose a user',
    meaning: 'the ledger is behind Redis: it lost data, or was restored from an older backup',
  },
  accepted_may_be_missing: {
    about: 'coupon',
    breaks: 'never lose a user',
    meaning: 'Redis lost its records of accepted users, and nothing else knows them; the coupon waits for --reopen',
  },
  row_without_admission: { about: 'users', breaks: 'both stores agree', meaning: 'issued in the ledger, but never accepted' },
  place_without_admission: { about: 'users', breaks: 'both stores agree', meaning: 'claimed or dead, but never accepted' },
  hash_only: { about: 'users', breaks: 'both stores agree', meaning: 'an issued hash in Redis without a row in the ledger' },
  hash_mismatch: { about: 'users', breaks: 'both stores agree', meaning: 'the issued hash says something else than the ledger' },
  hash_unreadable_time: {
    about: 'users',
    breaks: 'both stores agree',
    meaning: 'a time in the issued hash is a text that is no time: it counts as none',
  },
  dead_but_issued: { about: 'users', breaks: 'both stores agree', meaning: 'dead-lettered, and issued all the same' },
  request_time_mismatch: {
    about: 'users',
    breaks: 'both stores agree',
    meaning: 'queue, claim or ledger have another request time than the admission',
  },
  served_out_of_order: {
    about: 'users',
    breaks: 'first come, first served',
    meaning: 'claimed in a later turn than a user who asked later',
  },
  epoch_missing: {
    about: 'coupon',
    breaks: 'both stores agree',
    meaning: 'another program rewrote the coupon in Redis, or its epoch was lost',
  },
  epoch_mismatch: { about: 'coupon', breaks: 'both stores agree', meaning: 'Redis holds another life of the coupon than the ledger' },
  version_mismatch: {
    about: 'coupon',
    breaks: 'both stores agree',
    meaning: 'Redis holds another version of the settings than the ledger',
  },
  settings_unreadable_time: {
    about: 'coupon',
    breaks: 'both stores agree',
    meaning: 'a time of the coupon in Redis is a text that is no time: no requests are taken',
  },
  settings_mismatch: {
    about: 'coupon',
    breaks: 'both stores agree',
    meaning: 'name, window, expiry or numbers of the coupon differ between the stores',
  },
  suspect: {
    about: 'coupon',
    breaks: 'both stores agree',
    meaning: 'the coupon was taken out of service because the stores contradict each other',
  },
  key_style_mismatch: {
    about: 'coupon',
    breaks: 'both stores agree',
    meaning: 'seeded with another key style: not looked at, its keys are spelled differently',
  },
  key_wrong_type: {
    about: 'coupon',
    breaks: 'both stores agree',
    meaning: 'a key holds another type than this program keeps there: nothing else of the coupon was looked at',
  },
  hash_wrong_type: {
    about: 'users',
    breaks: 'both stores agree',
    meaning: 'the key of the issued hash holds another type: the hash cannot be written',
  },
  coupon_not_in_ledger: { about: 'coupon', breaks: 'both stores agree', meaning: 'Redis has the coupon, the ledger does not' },
} as const satisfies Record<string, { about: 'coupon' | 'users'; breaks: string; meaning: string }>;

export type FindingCode = keyof typeof FINDINGS;

export const FINDING_CODES = Object.keys(FINDINGS) as readonly FindingCode[];

/** Figures and words that a finding speaks of, such as `{stock: 7, expected: 6}`. */
export type Facts = Readonly<Record<string, string | number | null>>;

export interface Finding {
  code: FindingCode;
  facts: Facts;
}

export function finding(code: FindingCode, facts: Facts = {}): Finding {
  return { code, facts };
}
