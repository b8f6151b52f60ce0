import { FINDINGS, type FindingCode } from '../findings.ts';
import { readRedis } from '../reads.ts';
import { SAMPLE_SIZE, type FindingReport } from '../tally.ts';
import { eachToMend, withoutFormerLife } from './each.ts';
import { judgeLife, mayBeMissing, type Life, type RedisRecord } from './life.ts';
import { mendUser, type Mend, type UserStep } from './mend.ts';
import { overPromisedUsers } from './over-promised.ts';
import { nextRequestUs } from './reached.ts';
import { inOrder, isDangerous, type PlannedStep, type RepairStep } from './plan.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import type { RepairPorts, StateChange } from './ports.ts';

/** What a repair does about one coupon, and on what grounds. */
export interface CouponPlan {
  couponId: string;
  steps: PlannedStep[];
  life: Life;
  record: RedisRecord;
  /** Users of a former life, whom it deletes. */
  takesAway: string[];
  /** Users whom it dead-letters because there is no coupon for them; the first one asked last. */
  deadLetters: string[];
  /** Accepted users who may be missing, at most, with those that an earlier repair spoke of; null: none. */
  missing: number | null;
  state: StateChange;
  /** See {@link mendUser}. */
  roomForRows: boolean;
  /** The coupon must take no requests and hand out no claims meanwhile; and not afterwards, while more were accepted than there are coupons. */
  isDangerous: boolean;
}

export interface PlanOptions {
  scan: boolean;
  reopen: boolean;
}

/** Reads both stores as an audit does, and changes nothing. */
export async function planCoupon(
  ports: RepairPorts,
  coupon: LedgerCoupon,
  findings: readonly FindingReport[],
  options: PlanOptions,
): Promise<CouponPlan> {
  const { id } = coupon;
  const record = await ports.redis.record(id);
  const life = judgeLife(record, coupon.epoch, await ports.repairs.endedEpochs(id));
  const view = life === 'ended' ? { ...ports, ...withoutFormerLife(ports) } : ports;

  const users = new UserTally(id);
  await eachToMend(view, id, options.scan, (judged) => {
    for (const one of judged) {
      users.add(one.user.userId, one.user.admitted !== null, one.row !== null, mendUser(one, true), mendUser(one, false));
    }
  });
  const { rows = 0, returned: givenBack = 0 } = (await ports.ledger.counts(id)) ?? {};
  const roomForRows = rows - givenBack + users.proven <= coupon.total;
  const mends = users.steps(roomForRows);

  const returned = givenBack + (life === 'ended' ? 0 : await countReturned(ports, id));
  const accepted = (life === 'ended' ? 0 : record.admitted) + users.admissions;
  const places = coupon.total + returned;
  const excess = accepted - places;
  const nextUs = excess > 0 ? await nextRequestUs(ports, coupon, record.lastUs, life === 'ours') : 0;
  const deadLetters = excess > 0 ? await overPromisedUsers(view, id, { users: excess, nextUs, roomForRows }) : [];
  const canRestore = accepted - deadLetters.length <= places;
  const target = places - accepted + deadLetters.length;

  const known = { rowsWithoutAdmission: users.rowsWithoutAdmission, free: places - accepted };
  const nowMissing = mayBeMissing(record, life, coupon.maxFence, known);
  const missing = Math.max(nowMissing, coupon.mayBeMissing ?? 0) || null;
  const saleState = (life === 'ended' ? '' : record.state) || coupon.saleState || 'open';
  const isPaused = saleState === 'paused' || saleState === 'closed';
  const state: StateChange = missing === null ? '' : options.reopen ? 'reopen' : isPaused ? '' : 'pause';

  const takesAway = life === 'ended' ? await usersOfLife(ports, id) : [];
  const has = (...codes: FindingCode[]): FindingCode[] => codes.filter((code) => findings.some((found) => found.code === code));
  const steps: PlannedStep[] = [...mends];
  const add = (step: RepairStep, because: FindingCode[], named: readonly string[] = [], count = 1): void => {
    steps.push({ couponId: id, step, count, sample: named.toSorted().slice(0, SAMPLE_SIZE), because });
  };
  const unbound = has(...UNBOUND);
  if (takesAway.length > 0) add('drop_life', unbound, takesAway, takesAway.length);
  if (life !== 'ours') add('rebuild_coupon', unbound);
  const miscounted = has('issued_quantity_mismatch', 'ledger_behind');
  if (miscounted.length > 0 && rows - givenBack <= coupon.total) add('recount', miscounted);
  if (deadLetters.length > 0) add('set_aside', has('over_admitted'), deadLetters, deadLetters.length);
  // Binding takes a coupon out of service, so the same repair must bring it back.
  const touches =
    life !== 'ours' ||
    findings.some((found) => FINDINGS[found.code].about === 'coupon') ||
    steps.some(({ step }) => step === 'rebuild_admission' || step === 'set_aside') ||
    state !== '';
  if (touches && canRestore) {
    const settings = has(...SETTINGS);
    if (settings.length > 0 || life !== 'ours') add('restore_settings', settings.length > 0 ? settings : unbound);
    const stock = life === 'ended' ? null : record.stock;
    const counted = has('stock_mismatch', 'stock_missing', 'over_admitted');
    if (stock !== target) add('set_stock', counted.length > 0 ? counted : unbound);
    if (record.suspect !== '' && life !== 'ended') add('clear_suspect', has('suspect'));
    if (state !== '') add(state, coupon.mayBeMissing === null ? has('redis_behind', ...UNBOUND) : has('accepted_may_be_missing'));
  }
  return {
    couponId: id,
    steps: inOrder(steps),
    life,
    record,
    takesAway,
    deadLetters,
    missing,
    state,
    roomForRows,
    isDangerous: isDangerous(findings) || !canRestore,
  };
}

const UNBOUND = ['coupon_missing', 'epoch_missing', 'epoch_mismatch'] as const satisfies FindingCode[];

const SETTINGS = [
  'total_mismatch',
  'redis_behind',
  'ledger_behind',
  'version_mismatch',
  'settings_mismatch',
  'settings_unreadable_time',
] as const satisfies FindingCode[];

/** Gathers what is to be done for the users: both with and without the rows that hashes prove, because room shows at the end only. */
class UserTally {
  readonly #couponId: string;
  readonly #withRows = new Map<UserStep, PlannedStep>();
  readonly #withoutRows = new Map<UserStep, PlannedStep>();
  /** Rows that hashes prove. */
  proven = 0;
  /** Users who will be among the accepted and are not yet. */
  admissions = 0;
  rowsWithoutAdmission = 0;

  constructor(couponId: string) {
    this.#couponId = couponId;
  }

  add(userId: string, isAdmitted: boolean, hasRow: boolean, withRows: Mend | null, withoutRows: Mend | null): void {
    if (withRows?.restoreRow) this.proven += 1;
    if (withRows?.adopt && !isAdmitted) this.admissions += 1;
    if (hasRow && !isAdmitted) this.rowsWithoutAdmission += 1;
    if (withRows) this.#count(this.#withRows, userId, withRows);
    if (withoutRows) this.#count(this.#withoutRows, userId, withoutRows);
  }

  steps(roomForRows: boolean): PlannedStep[] {
    return [...(roomForRows ? this.#withRows : this.#withoutRows).values()];
  }

  #count(steps: Map<UserStep, PlannedStep>, userId: string, { step, because }: Mend): void {
    const there = steps.get(step) ?? { couponId: this.#couponId, step, count: 0, sample: [], because: [] };
    there.count += 1;
    there.because = [...new Set([...there.because, ...because])];
    if (there.sample.length < SAMPLE_SIZE || userId < there.sample.at(-1)!) {
      there.sample = [...there.sample, userId].toSorted().slice(0, SAMPLE_SIZE);
    }
    steps.set(step, there);
  }
}

/** Promises that over-promised users have given back. */
async function countReturned(ports: RepairPorts, couponId: string): Promise<number> {
  const users = new Set<string>();
  for await (const page of ports.reader.walk(couponId, 'dead')) {
    const { users: dead } = await readRedis(ports, couponId, page);
    for (const user of dead) if (user.dead === 'over_promised') users.add(user.userId);
  }
  return users.size;
}

async function usersOfLife(ports: RepairPorts, couponId: string): Promise<string[]> {
  const users = new Set<string>();
  for (const source of ['admitted', 'waiting', 'leases', 'claims', 'dead'] as const) {
    for await (const page of ports.reader.walk(couponId, source)) for (const userId of page) users.add(userId);
  }
  return [...users].toSorted();
}
