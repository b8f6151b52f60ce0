import { describe, expect, test } from 'vitest';
import { checkIntegrity } from '../../../src/bench/checks/checker.ts';
import { outcomeCode, type CouponEvidence } from '../../../src/bench/checks/integrity.ts';
import { randomOf, UserDirectory } from '../../../src/bench/plan/user-plan.ts';
import { withIssueIds } from '../../../src/bench/record/issue-ids.ts';
import type { Outcome } from '../../../src/campaign/outcome.ts';

interface Request {
  user: number;
  sentUs: number;
  decidedUs: number;
  doneUs: number;
  outcome: Outcome;
  order: string | null;
}

interface Order {
  order: string;
  user: number;
  requestedUs: number;
}

/** What a correct service makes of random requests that overlap: at most `limit` for each user; some replies are lost. */
function sale(seed: number, { users = 12, asks = 60, total = 15, limit = 3, loses = 0.1 } = {}) {
  const random = randomOf(seed);
  const requests = Array.from({ length: asks }, (): Request => {
    const sentUs = Math.floor(random() * 10_000);
    const decidedUs = sentUs + 1 + Math.floor(random() * 1_500);
    const doneUs = decidedUs + 1 + Math.floor(random() * 1_500);
    return { user: Math.floor(random() * users), sentUs, decidedUs, doneUs, outcome: 'sold_out', order: null };
  });
  const orders: Order[] = [];
  const has = new Map<number, number>();
  for (const request of requests.toSorted((a, b) => a.decidedUs - b.decidedUs)) {
    const own = has.get(request.user) ?? 0;
    if (own >= limit) request.outcome = 'duplicate';
    else if (orders.length < total) {
      has.set(request.user, own + 1);
      request.order = `o${orders.length + 1}`;
      // Equal times would leave the order open.
      orders.push({ order: request.order, user: request.user, requestedUs: request.decidedUs * 1_000 + orders.length });
      request.outcome = 'accepted';
    }
    if (random() < loses) {
      request.outcome = 'unknown';
      request.order = null;
    }
  }
  return { requests: requests.toSorted((a, b) => a.sentUs - b.sentUs), orders, total, limit, users };
}

type Sale = ReturnType<typeof sale>;

function failures({ requests, orders, total, limit, users: count }: Sale, by: 'order' | 'user', perUser: number | null = limit): string[] {
  const users = new UserDirectory({ count, prefix: 'user-', start: 1 });
  const column = (of: (request: Request) => number): Uint32Array => Uint32Array.from(requests, of);
  const times = (of: (request: Request) => number): Float64Array => Float64Array.from(requests, of);
  const bare = {
    length: requests.length,
    user: column((one) => one.user),
    coupon: new Uint16Array(requests.length),
    requestId: column((one) => requests.indexOf(one)),
    intendedUs: times((one) => one.sentUs),
    sentUs: times((one) => one.sentUs),
    doneUs: times((one) => (one.outcome === 'unknown' ? Number.NaN : one.doneUs)),
    outcome: Uint8Array.from(requests, (one) => outcomeCode(one.outcome)),
    status: new Uint16Array(requests.length),
  };
  const named = requests.flatMap(({ order }, row) => (order === null ? [] : [{ row, order }]));
  const ids = { row: Uint32Array.from(named, (one) => one.row), id: named.map((one) => one.order) };
  const record = by === 'order' ? withIssueIds(bare, ids, users, true) : bare;
  const ledger = {
    user: Uint32Array.from(orders, (one) => (by === 'order' ? users.numberOf(`issue ${one.order}`) : one.user)),
    requestedUs: Float64Array.from(orders, (one) => one.requestedUs),
    requestedStepUs: 1,
    turn: new Float64Array(orders.length).fill(Number.NaN),
    revoked: new Uint8Array(orders.length),
    issuedQuantity: null,
  };
  const consulted = { ledger: true, hashes: false, stock: false };
  const evidence: CouponEvidence = { couponId: 'c', total, ledger, redis: null, settled: true, before: new Uint32Array(), consulted };
  return checkIntegrity(record, [evidence], users, perUser)
    .filter(({ status }) => status === 'fail')
    .map(({ check, reason }) => `${check} ${reason}`);
}

describe.each(['order', 'user'] as const)('several coupons for one user, told apart by %s', (by) => {
  test('a correct service is never accused, whatever overlaps or gets lost', () => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const run = sale(seed, { limit: 2 + (seed % 3), loses: (seed % 5) / 10 });
      expect(failures(run, by), `seed ${seed}`).toEqual([]);
      expect(failures(sale(seed, { limit: Infinity }), by, null), `seed ${seed}, any number`).toEqual([]);
    }
  });

  test.each<[string, (run: Sale) => void, string]>([
    ['an order is lost', ({ orders }) => void orders.splice(3, 1), 'accepted_are_issued ACCEPTED_NOT_ISSUED'],
    ['more orders than there are', (run) => void (run.total -= 1), 'issued_within_total LEDGER_OVER_TOTAL'],
    [
      'an order that nobody asked for',
      (run) => {
        run.total += 1;
        run.orders.push({ order: 'gift', user: 0, requestedUs: 99_000_000 });
        // Without a reply that was lost.
        run.requests = run.requests.filter((one) => one.user !== 0 || one.outcome === 'accepted');
      },
      'issued_were_accepted ISSUED_TO_STRANGER',
    ],
    ['the limit is not kept', (run) => void (run.limit = 2), 'one_per_user OVER_LIMIT_PER_USER'],
    [
      'the last one stands first',
      (run) => run.orders.forEach((one) => (one.requestedUs = 99_000_000 - one.requestedUs)),
      'first_come_first_served OVERTAKEN',
    ],
  ])('found: %s', (_what, plant, finding) => {
    let found = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      // Users with one request each leave no doubt about the order.
      const run = sale(seed, { loses: 0, ...(finding.includes('OVERTAKEN') ? { users: 60 } : {}) });
      plant(run);
      if (failures(run, by).includes(finding)) found += 1;
    }
    expect(found).toBeGreaterThan(35);
  });
});

test('the same order for two users is one order promised twice', () => {
  const run = sale(7, { loses: 0 });
  const [first, second] = run.requests.filter((one) => one.outcome === 'accepted');
  second!.order = first!.order;
  expect(failures(run, 'order')).toContain('one_per_user ACCEPTED_TWICE');
});
