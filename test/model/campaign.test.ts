import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drift, impossible } from './drift.ts';
import {
  adopted,
  adoptedAndEvicted,
  adoptedAndLost,
  disastrous,
  evicting,
  harmless,
  late,
  operated,
  overPromised,
  rewritten,
  rewrittenAhead,
  SETTLE,
  totals,
  USERS,
  type Command,
  type WorkerStep,
} from './history.ts';
import { applyToModel, modelPlayer, newWorld, NOW_MS, type Outside, type World } from './world.ts';
import { excusedFindings } from './views.ts';

type Apply = typeof applyToModel;
type Histories = (maxLength: number) => fc.Arbitrary<Command[]>;

const LENGTH = 70;

function wrong({ campaign }: World): string[] {
  return drift(campaign, NOW_MS).map(({ code, userId }) => (userId === null ? code : `${code} ${userId}`));
}

/**
 * While nothing is lost, every promise holds at every step. All that may be wrong: a lease that a clock has made absurd, and the issued
 * hash of a user where another program wrote, or had written, a key of another type.
 */
function promisesHold(histories: Histories, apply?: Apply) {
  return fc.property(histories(LENGTH), totals, (history, total) => {
    const world = newWorld(total, 'epoch', 'server');
    const play = modelPlayer(apply);
    const excused = excusedFindings(history);
    for (const command of history) {
      play(world, command);
      expect(impossible(world.campaign)).toEqual([]);
      expect(wrong(world).filter((code) => !code.startsWith('lease_absurd') && !excused.has(code))).toEqual([]);
      const { admitted, waiting } = world.campaign.redis;
      expect([...world.owed].filter((userId) => !admitted.has(userId) && !waiting.has(userId))).toEqual([]);
    }
  });
}

/** Whatever other programs write over the coupon, no accepted user is lost, and no repair loses one. */
function nobodyIsLost(histories: Histories, apply?: Apply) {
  return fc.property(histories(LENGTH), totals, (history, total) => {
    const world = newWorld(total, 'epoch', 'server');
    const play = modelPlayer(apply);
    for (const command of history) {
      const before = new Set(world.owed);
      play(world, command);
      expect(impossible(world.campaign)).toEqual([]);
      const { admitted, waiting } = world.campaign.redis;
      expect(world.owed).toEqual(command.kind === 'repair' ? before : world.owed);
      expect([...world.owed].filter((userId) => !admitted.has(userId) && !waiting.has(userId))).toEqual([]);
    }
  });
}

/** Who is accepted later stands later, also where a clock was ahead, and however often the coupon is repaired. */
function nobodyOvertakes(histories: Histories, apply = applyToModel) {
  return fc.property(histories(LENGTH), totals, (history, total) => {
    const world = newWorld(total, 'epoch', 'server');
    let latest = 0;
    const watched: Apply = (at, command, outside) => {
      const known = new Set(at.campaign.redis.admitted.keys());
      const { epoch } = at.campaign.ledger;
      const answer = apply(at, command, outside);
      if (at.campaign.ledger.epoch !== epoch) latest = 0;
      if (command.kind !== 'admit') return answer;
      for (const [i, { outcome, firstRequestUs = 0 }] of (answer as { outcome: string; firstRequestUs?: number }[]).entries()) {
        const { userId } = command.requests[i]!;
        if (outcome !== 'accepted' || known.has(userId)) continue;
        known.add(userId);
        expect(firstRequestUs).toBeGreaterThan(latest);
        latest = firstRequestUs;
      }
      return answer;
    };
    const play = modelPlayer(watched);
    for (const command of history) play(world, command);
  });
}

/** Whatever is lost, nothing impossible happens; and after a repair one pass serves everybody who is still owed a coupon. */
function repairMends(histories: Histories, apply?: Apply) {
  return fc.property(histories(LENGTH), totals, (history, total) => {
    const world = newWorld(total, 'epoch', 'server');
    const play = modelPlayer(apply);
    for (const command of [...history, ...SETTLE]) {
      play(world, command);
      expect(impossible(world.campaign)).toEqual([]);
    }
    const { redis, ledger } = world.campaign;
    expect([redis.waiting.size, redis.leases.size]).toEqual([0, 0]);
    expect([...world.owed].filter((userId) => !ledger.rows.has(userId) && !redis.dead.has(userId))).toEqual([]);
    // The one has happened; and of the other nobody can say whose it is, or there is no coupon left for it, whatever it says.
    const left = wrong(world).filter((code) => code !== 'served_out_of_order' && !code.startsWith('hash_only'));
    expect(left.filter((code) => ledger.rows.has(code.split(' ')[1]!) || !code.startsWith('hash_unreadable_time'))).toEqual([]);
  });
}

/** A user who was issued or is claimed is never accepted anew, whatever Redis evicts. */
function nobodyIsTakenTwice(histories: Histories, apply = applyToModel) {
  return fc.property(histories(LENGTH), totals, (history, total) => {
    const world = newWorld(total, 'epoch', 'server');
    const watched: Apply = (at, command, outside) => {
      const { redis, ledger } = at.campaign;
      const taken = new Set([...redis.leases.keys(), ...ledger.rows.keys()].filter((userId) => !redis.admitted.has(userId)));
      const answer = apply(at, command, outside);
      const answers = command.kind === 'admit' ? (answer as { outcome: string }[]) : [];
      const accepted = command.kind === 'admit' ? command.requests.filter((_, i) => answers[i]!.outcome === 'accepted') : [];
      expect(accepted.filter(({ userId }) => taken.has(userId))).toEqual([]);
      return answer;
    };
    const play = modelPlayer(watched);
    for (const command of history) play(world, command);
  });
}

/** The model with something done beside each command that is chosen. */
function spoiled(chosen: string, before: (world: World) => (answer: unknown) => void): Apply {
  return (world: World, command: Command, outside: Outside) => {
    const name = command.kind === 'work' ? command.step : command.kind;
    const after = name === chosen ? before(world) : () => undefined;
    const answer = applyToModel(world, command, outside);
    after(answer);
    return answer;
  };
}

describe('the reference model of a campaign', () => {
  it.each<[string, Histories]>([
    ['users and workers', harmless],
    ['late workers', late],
    ['operators', operated],
    ['operators of adopted coupons', adopted],
  ])('keeps every promise at every step, whatever %s do, while nothing is lost', (_name, histories) => {
    fc.assert(promisesHold(histories), { numRuns: 500 });
  });

  it('loses no accepted user, whatever other programs write over the coupon and however often it is repaired', () => {
    fc.assert(nobodyIsLost(rewritten), { numRuns: 1_000 });
  });

  it('lets nobody overtake, whatever other programs write over the coupon, and whatever the clock did', () => {
    fc.assert(nobodyOvertakes(rewrittenAhead), { numRuns: 1_000 });
  });

  it.each<[string, Histories]>([
    ['seeded', evicting],
    ['adopted', adoptedAndEvicted],
  ])('takes no user of a coupon that was %s twice, whatever Redis evicts', (_name, histories) => {
    fc.assert(nobodyIsTakenTwice(histories), { numRuns: 1_000 });
  });

  it.each<[string, Histories]>([
    ['operators', operated],
    ['other programs', rewritten],
    ['adoptions and disasters', adoptedAndLost],
    ['disasters', disastrous],
    ['disasters that promise too much', overPromised],
  ])('never over-issues, whatever %s do, and a repair leads back to where everybody is served', (_name, histories) => {
    fc.assert(repairMends(histories), { numRuns: 1_000 });
  });

  it('gives nobody up whose request was lost: a repair could not tell any more whose coupon went back', () => {
    const w1 = { kind: 'work', worker: 'w1' } as const;
    const history: Command[] = [
      { kind: 'admit', requests: ['a', 'c'].map((userId) => ({ userId, requestId: 'r1' })) },
      { ...w1, limit: 2, step: 'claim' },
      { kind: 'rollBackRedis' },
      { kind: 'verify' },
      { kind: 'admit', requests: [{ userId: 'd', requestId: 'r1' }] },
      { kind: 'work', worker: 'w2', limit: 2, step: 'claim' },
      { kind: 'foreign', userId: USERS.at(-1)! },
      { ...w1, limit: 1 },
      { kind: 'repair', reopen: false, confirm: false },
      { kind: 'evict' },
      { kind: 'drop', nth: 0 },
    ];
    fc.assert(
      repairMends(() => fc.constant(history)),
      { numRuns: 1, examples: [[history, 3]] },
    );
  });

  it('has reached the claims of the rows that a repair gives back', () => {
    const work = (worker: string, limit: number, step?: WorkerStep): Command => ({
      kind: 'work',
      worker,
      limit,
      ...(step ? { step } : {}),
    });
    const repair: Command = { kind: 'repair', reopen: false, confirm: false };
    const history: Command[] = [
      { kind: 'admit', requests: [{ userId: 'a', requestId: 'r1' }] },
      work('w1', 2, 'claim'),
      { kind: 'rollBackRedis' },
      { kind: 'verify' },
      { kind: 'admit', requests: ['c', 'd'].map((userId) => ({ userId, requestId: 'r1' })) },
      work('w2', 2, 'claim'),
      work('w2', 1, 'commit'),
      { kind: 'rollBackLedger' },
      work('w1', 1, 'commit'),
      work('w2', 1),
      repair,
      work('w2', 1),
      { kind: 'rollBackLedger' },
      work('w2', 1),
      work('w1', 1),
      { kind: 'use', nth: 0, dies: null },
      repair,
      { kind: 'drop', nth: 0 },
      work('w1', 1),
    ];
    fc.assert(
      repairMends(() => fc.constant(history)),
      { numRuns: 1, examples: [[history, 2]] },
    );
  });

  it.each<[string, Histories, typeof promisesHold, Apply]>([
    [
      'an ack that forgets the claim',
      operated,
      promisesHold,
      spoiled('ack', ({ campaign }) => {
        const claims = structuredClone(campaign.redis.claims);
        return () => claims.forEach((claim, userId) => campaign.redis.claims.set(userId, claim));
      }),
    ],
    [
      'a forget that leaves late workers their claims',
      operated,
      promisesHold,
      spoiled('forget', ({ campaign }) => () => {
        campaign.ledger.minFence = 0;
        campaign.redis.coupon!.minFence = 0;
      }),
    ],
    [
      'a claim that takes users out of the queue and keeps nothing',
      operated,
      promisesHold,
      spoiled('claim', ({ campaign }) => () => {
        for (const userId of campaign.redis.leases.keys()) campaign.redis.claims.delete(userId);
        campaign.redis.leases.clear();
      }),
    ],
    [
      'a claim that does not raise its number',
      operated,
      promisesHold,
      spoiled('claim', ({ campaign }) => {
        const fence = campaign.redis.coupon?.fence;
        return () => campaign.redis.coupon && Object.assign(campaign.redis.coupon, { fence });
      }),
    ],
    [
      'an admission that spends a coupon on a user who asks again',
      operated,
      promisesHold,
      spoiled('admit', ({ campaign }) => (answers) => {
        const again = (answers as { outcome: string }[]).filter(({ outcome }) => outcome === 'duplicate');
        if (campaign.redis.coupon) campaign.redis.coupon.stock -= again.length;
      }),
    ],
    [
      'an admission that trusts a record that was evicted',
      evicting,
      nobodyIsTakenTwice,
      spoiled('admit', ({ campaign: { redis } }) => {
        const hidden = { leases: redis.leases, dead: redis.dead };
        const acked = redis.coupon?.acked;
        Object.assign(redis, { leases: new Map(), dead: new Map() });
        if (redis.coupon) redis.coupon.acked = 0;
        return () => {
          Object.assign(redis, hidden);
          if (redis.coupon) redis.coupon.acked = acked!;
        };
      }),
    ],
    [
      'an adoption that does not count as a claim',
      adoptedAndEvicted,
      nobodyIsTakenTwice,
      spoiled('adopt', ({ campaign }) => () => {
        campaign.redis.coupon!.acked = 0;
        campaign.ledger.maxFence = 0;
      }),
    ],
    [
      'an adoption that leaves a user out who waits',
      adopted,
      promisesHold,
      spoiled('adopt', ({ campaign }) => () => {
        const [first] = campaign.redis.waiting.keys();
        for (const place of [campaign.redis.waiting, campaign.redis.admitted]) place.delete(first ?? '');
      }),
    ],
    [
      'a ledger whose guard is gone',
      overPromised,
      repairMends,
      spoiled('commit', ({ campaign }) => {
        const { total } = campaign.ledger;
        campaign.ledger.total = 100;
        return () => Object.assign(campaign.ledger, { total });
      }),
    ],
    [
      'a repair that forgets who waits when it looks for the latest request',
      rewrittenAhead,
      nobodyOvertakes,
      spoiled('repair', ({ campaign }) => () => {
        const { redis, ledger } = campaign;
        if (redis.coupon) redis.coupon.lastUs = Math.max(0, ...[...ledger.rows.values()].map((row) => row.requestedUs));
      }),
    ],
    [
      'a repair that takes a strange epoch for another life',
      rewritten,
      nobodyIsLost,
      spoiled('repair', ({ campaign }) => {
        const { redis, ledger } = campaign;
        if (redis.coupon?.epoch !== ledger.epoch) for (const place of [redis.admitted, redis.waiting]) place.clear();
        return () => undefined;
      }),
    ],
    [
      'a repair that fills the stock up without a look at who was accepted',
      disastrous,
      repairMends,
      spoiled('repair', ({ campaign }) => () => {
        if (campaign.redis.coupon) campaign.redis.coupon.stock = campaign.redis.coupon.total;
      }),
    ],
  ])('shows %s', (_name, histories, property, apply) => {
    const found = fc.check(property(histories, apply), { numRuns: 2_000, endOnFailure: true });
    expect(found.failed).toBe(true);
    expect(found.errorInstance).toMatchObject({ name: 'AssertionError' });
  });
});
