import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKS } from '../../../src/bench/checks/integrity.ts';
import { check, correctRun, remarks, rush } from './bench-model.ts';
import type { Ask, Run } from './bench-model.ts';

/** 30 coupons, 100 users. */
function sale(plant: (run: Run) => void = () => undefined, asks: Ask[] = rush(100)): Run {
  const run = correctRun(30, 100, asks);
  plant(run);
  return run;
}

const requestOf = (run: Run, user: number): Run['requests'][number] => run.requests.find((one) => one.user === user)!;

describe('a correct service passes', () => {
  test('all seven checks are made', () => {
    const results = check(sale());
    expect(Object.keys(results)).toEqual([...CHECKS]);
    expect(remarks(sale())).toEqual([]);
  });

  test('whatever the order, the overlaps, the repeats and the lost replies are', () => {
    const asked = fc.record({
      user: fc.nat(30),
      sentUs: fc.nat(2_000),
      decide: fc.nat(500),
      reply: fc.nat(500),
      lost: fc.boolean(),
      same: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.nat(40), fc.array(asked, { maxLength: 120 }), fc.integer({ min: 1, max: 20 }), (total, list, batch) => {
        const asks = list.map(({ user, sentUs, decide, reply, lost, same }, index): Ask => {
          const decidedUs = sentUs + decide;
          return { user, sentUs, decidedUs, doneUs: lost ? null : decidedUs + reply, requestId: same ? 10_000 + user : index };
        });
        expect(remarks(correctRun(total, 31, asks, batch))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('nobody asked at all', () => expect(remarks(sale(() => undefined, []))).toEqual([]));

  test('a coupon without stock: everybody is sold out', () => expect(remarks(correctRun(0, 100, rush(100)))).toEqual([]));

  test('with more stock than users, what is left is no leak', () => expect(remarks(correctRun(500, 100, rush(100)))).toEqual([]));

  test('a lost reply that was never processed is no leak', () => {
    // The 30 coupons are asked for by 30 users, and one request never arrives.
    const run = correctRun(30, 100, rush(30).slice(1));
    run.requests.push({ user: 0, sentUs: 0, doneUs: Number.NaN, outcome: 'unknown', requestId: 999 });
    expect(remarks(run)).toEqual([]);
  });

  test('the same request answered twice under one id counts once', () => {
    const asks = rush(100);
    const again = { ...asks[0]!, sentUs: 5_000, decidedUs: 5_100, doneUs: 5_200, requestId: 7_777 };
    expect(remarks(sale(() => undefined, [{ ...asks[0]!, requestId: 7_777 }, ...asks.slice(1).map((ask) => ({ ...ask })), again]))).toEqual(
      [],
    );
  });

  test('users set aside are named, not lost', () => {
    const run = sale((planted) => {
      const { user } = planted.rows.pop()!;
      planted.hashes.pop();
      planted.dead.push(user);
      planted.issuedQuantity -= 1;
    });
    expect(remarks(run)).toEqual([]);
    expect(check(run).accepted_are_issued).toMatchObject({ status: 'pass', reason: 'ACCEPTED_SET_ASIDE', count: 1, sample: ['user-29'] });
  });

  test('a piece taken back and issued again', () => {
    const run = sale((planted) => {
      planted.rows[0]!.revoked = true;
      planted.returned = 1;
      // The returned piece went to the next user, who asked later.
      requestOf(planted, 30).outcome = 'accepted';
      planted.rows.push({ user: 30, requestedUs: planted.rows.at(-1)!.requestedUs + 1, turn: 9 });
      planted.hashes.push(30);
      planted.spent += 1;
      planted.issuedQuantity += 1;
    });
    expect(remarks(run)).toEqual([]);
    expect(check(run).accepted_are_issued).toMatchObject({ reason: 'ACCEPTED_SET_ASIDE', sample: ['user-0'] });
  });

  test('of two that were taken back only one went back into the stock: the counter leaves out that one', () => {
    const run = sale((planted) => {
      for (const row of planted.rows.slice(0, 2)) row.revoked = true;
      planted.returned = 1;
      requestOf(planted, 30).outcome = 'accepted';
      planted.rows.push({ user: 30, requestedUs: planted.rows.at(-1)!.requestedUs + 1, turn: 9 });
      planted.hashes.push(30);
      planted.spent += 1;
    });
    expect(remarks(run)).toEqual([]);
  });

  test('a coupon that had been used before: what was spent then counts', () => {
    const run = sale();
    // The first ten had their piece already; this time they are told so.
    run.before = run.rows.slice(0, 10).map((row) => row.user);
    for (const user of run.before) requestOf(run, user).outcome = 'duplicate';
    expect(remarks(run)).toEqual([]);
  });
});

describe('each check finds its fault and names users', () => {
  const caught = (check_: keyof ReturnType<typeof check>, run: Run) => check(run)[check_];

  test('more ledger rows than pieces', () => {
    const run = sale((planted) => {
      planted.rows.push({ user: 40, requestedUs: planted.rows.at(-1)!.requestedUs + 1, turn: 9 });
      planted.issuedQuantity += 1;
    });
    expect(caught('issued_within_total', run)).toMatchObject({
      status: 'fail',
      reason: 'LEDGER_OVER_TOTAL',
      count: 1,
      sample: ['user-40'],
      facts: { issued: 31, total: 30 },
    });
  });

  test('more hashes than pieces', () => {
    const run = sale((planted) => planted.hashes.push(40));
    expect(caught('issued_within_total', run)).toMatchObject({ status: 'fail', reason: 'HASHES_OVER_TOTAL', count: 1 });
  });

  test('more users accepted than there are pieces, even when no store can be read', () => {
    const run = sale((planted) => {
      requestOf(planted, 40).outcome = 'accepted';
      planted.withLedger = planted.withRedis = false;
    });
    expect(caught('issued_within_total', run)).toMatchObject({
      status: 'fail',
      reason: 'ACCEPTED_OVER_TOTAL',
      facts: { accepted: 31, total: 30 },
    });
  });

  test('a ledger counter that does not count its rows', () => {
    const run = sale((planted) => (planted.issuedQuantity = 12));
    expect(caught('issued_within_total', run)).toMatchObject({ status: 'fail', reason: 'LEDGER_COUNTER_WRONG', count: 18 });
  });

  test('one user with two accepted requests', () => {
    const run = sale((planted) => planted.requests.push({ user: 3, sentUs: 9_000, doneUs: 9_100, outcome: 'accepted', requestId: 999 }));
    expect(caught('one_per_user', run)).toMatchObject({ status: 'fail', reason: 'ACCEPTED_TWICE', count: 1, sample: ['user-3'] });
  });

  test('one user with two ledger rows', () => {
    const run = sale((planted) => planted.rows.push(planted.rows[5]!));
    expect(caught('one_per_user', run)).toMatchObject({ status: 'fail', reason: 'ISSUED_TWICE_IN_LEDGER', sample: ['user-5'] });
  });

  test('one user with two hashes', () => {
    const run = sale((planted) => planted.hashes.push(5));
    expect(caught('one_per_user', run)).toMatchObject({ status: 'fail', reason: 'ISSUED_TWICE_IN_REDIS', sample: ['user-5'] });
  });

  test('an accepted user who got nothing', () => {
    const run = sale((planted) => {
      planted.rows.splice(7, 1);
      planted.hashes.splice(7, 1);
      planted.issuedQuantity -= 1;
    });
    expect(caught('accepted_are_issued', run)).toMatchObject({
      status: 'fail',
      reason: 'ACCEPTED_NOT_ISSUED',
      count: 1,
      sample: ['user-7'],
    });
    expect(remarks(run), 'lost is not leaked').toEqual(['accepted_are_issued: fail ACCEPTED_NOT_ISSUED']);
  });

  test('an accepted user with a row and no hash, or a hash and no row', () => {
    expect(
      caught(
        'accepted_are_issued',
        sale((planted) => planted.hashes.splice(7, 1)),
      ),
    ).toMatchObject({
      status: 'fail',
      reason: 'ACCEPTED_WITHOUT_HASH',
      sample: ['user-7'],
    });
    const rowless = sale((planted) => {
      planted.rows.splice(7, 1);
      planted.issuedQuantity -= 1;
    });
    expect(caught('accepted_are_issued', rowless)).toMatchObject({ status: 'fail', reason: 'ACCEPTED_WITHOUT_ROW', sample: ['user-7'] });
  });

  test('"you have asked already" to somebody who has nothing', () => {
    const run = sale((planted) => (requestOf(planted, 60).outcome = 'duplicate'));
    expect(caught('accepted_are_issued', run)).toMatchObject({ status: 'fail', reason: 'DUPLICATE_NOT_ISSUED', sample: ['user-60'] });
  });

  test.each([
    ['refused', (run: Run) => void (requestOf(run, 4).outcome = 'sold_out'), 'ISSUED_TO_REFUSED', 'user-4'],
    ['answered with an error', (run: Run) => void (requestOf(run, 4).outcome = 'unexpected'), 'ISSUED_AFTER_UNEXPECTED_ANSWER', 'user-4'],
    ['unsent', (run: Run) => void (requestOf(run, 4).outcome = 'unsent'), 'ISSUED_TO_STRANGER', 'user-4'],
    ['not of this run', (run: Run) => void run.hashes.push(run.users.numberOf('intruder')), 'ISSUED_TO_STRANGER', 'intruder'],
  ])('a piece for somebody who was %s', (_, plant, reason, user) => {
    expect(caught('issued_were_accepted', sale(plant))).toMatchObject({ status: 'fail', reason, count: 1, sample: [user] });
  });

  test('sold out before enough users had even asked', () => {
    const run = sale((planted) => {
      // User 10 is refused at once, and user 30 gets the piece much later.
      Object.assign(requestOf(planted, 10), { outcome: 'sold_out' });
      Object.assign(requestOf(planted, 30), { outcome: 'accepted' });
      const row = planted.rows.find(({ user }) => user === 10)!;
      planted.rows = [
        ...planted.rows.filter((other) => other !== row),
        { user: 30, requestedUs: planted.rows.at(-1)!.requestedUs + 1, turn: 9 },
      ];
      planted.hashes = planted.rows.map(({ user }) => user);
    });
    expect(caught('sold_out_when_gone', run)).toMatchObject({
      status: 'fail',
      reason: 'SOLD_OUT_TOO_EARLY',
      count: 1,
      sample: ['user-10'],
    });
    expect(remarks(run)).toHaveLength(1);
  });

  test('stock that leaked: sold out, and yet not all is issued', () => {
    const run = sale((planted) => {
      const { user } = planted.rows.pop()!;
      planted.hashes.pop();
      planted.issuedQuantity -= 1;
      planted.spent -= 1;
      Object.assign(requestOf(planted, user), { outcome: 'sold_out' });
      // A lost reply could have taken the piece, so the time bound says nothing.
      planted.requests.push({ user: 99, sentUs: 0, doneUs: Number.NaN, outcome: 'unknown', requestId: 999 });
    });
    expect(caught('sold_out_when_gone', run)).toMatchObject({
      status: 'fail',
      reason: 'STOCK_LEAKED',
      count: 1,
      facts: { issued: 29, total: 30 },
    });
  });

  test('a user whose request time lies before that of one who had been answered earlier', () => {
    const run = sale((planted) => (planted.rows[20]!.requestedUs = planted.rows[2]!.requestedUs - 1));
    expect(caught('first_come_first_served', run)).toMatchObject({ status: 'fail', reason: 'OVERTAKEN', count: 1, sample: ['user-20'] });
  });

  test('newest first: request times are right, and later users are served in earlier turns', () => {
    const run = sale((planted) => planted.rows.forEach((row) => (row.turn = 10 - row.turn)));
    expect(caught('first_come_first_served', run)).toMatchObject({ status: 'fail', reason: 'SERVED_OUT_OF_ORDER' });
  });

  test('stock that does not add up, in both directions, and stock that is missing', () => {
    expect(
      caught(
        'stock_adds_up',
        sale((planted) => (planted.stock = -3)),
      ),
    ).toMatchObject({ status: 'fail', reason: 'STOCK_DOES_NOT_ADD_UP', count: 3 });
    expect(
      caught(
        'stock_adds_up',
        sale((planted) => (planted.stock = 2)),
      ),
    ).toMatchObject({ status: 'fail', count: 2 });
  });
});

describe('what cannot be seen is not called a pass', () => {
  const reasons = (run: Run): string[] => remarks(run);

  test('no ledger', () => {
    expect(reasons(sale((run) => (run.withLedger = false)))).toEqual([
      'issued_within_total: not_checked NO_LEDGER_EVIDENCE',
      'one_per_user: not_checked NO_LEDGER_EVIDENCE',
      'accepted_are_issued: not_checked NO_LEDGER_EVIDENCE',
      'issued_were_accepted: not_checked NO_LEDGER_EVIDENCE',
      'sold_out_when_gone: not_checked NO_LEDGER_EVIDENCE',
      'first_come_first_served: not_checked NO_LEDGER_EVIDENCE',
    ]);
  });

  test('no Redis', () => {
    expect(reasons(sale((run) => (run.withRedis = false)))).toEqual([
      'issued_within_total: not_checked NO_REDIS_EVIDENCE',
      'one_per_user: not_checked NO_REDIS_EVIDENCE',
      'accepted_are_issued: not_checked NO_REDIS_EVIDENCE',
      'issued_were_accepted: not_checked NO_REDIS_EVIDENCE',
      'stock_adds_up: not_checked NO_REDIS_EVIDENCE',
    ]);
  });

  test('users who still wait when the time is up', () => {
    const run = sale((planted) => {
      for (const row of planted.rows.splice(25)) planted.waiting.push(row.user);
      planted.hashes = planted.rows.map((row) => row.user);
      planted.issuedQuantity = 25;
      planted.settled = false;
    });
    expect(check(run).accepted_are_issued).toMatchObject({ status: 'not_checked', reason: 'NOT_SETTLED', count: 5 });
    expect(check(run).issued_within_total).toMatchObject({ status: 'not_checked', reason: 'NOT_SETTLED' });
    expect(remarks(run).some((remark) => remark.includes('fail'))).toBe(false);
  });

  test('and a user who is in none of the places is lost even then', () => {
    const run = sale((planted) => {
      planted.rows.splice(7, 1);
      planted.hashes.splice(7, 1);
      planted.waiting.push(planted.rows.pop()!.user);
      planted.hashes.pop();
      planted.issuedQuantity -= 2;
      planted.settled = false;
    });
    expect(check(run).accepted_are_issued).toMatchObject({ status: 'fail', reason: 'ACCEPTED_NOT_ISSUED', sample: ['user-7'] });
  });
});

test('a sample names at most ten users, the count says how many there are', () => {
  const run = sale((planted) => planted.hashes.splice(0, 25));
  expect(check(run).accepted_are_issued).toMatchObject({ count: 25 });
  expect(check(run).accepted_are_issued.sample).toHaveLength(10);
});
