import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drift, impossible } from '../../src/core/campaign/drift.ts';
import {
  applyToModel,
  disastrous,
  harmless,
  newWorld,
  operated,
  overPromised,
  SETTLE,
  toDo,
  totals,
  type Command,
  type Outside,
  type World,
} from '../support/campaign-history.ts';

const NOW_MS = 1_800_000_000_000;

/** Plays a history in the model alone, by a clock that ticks with every question. */
function player(apply = applyToModel): (world: World, command: Command) => unknown {
  let ticks = 0;
  const tick = (): number => (ticks += 1);
  const outside: Outside = {
    nowMs: NOW_MS,
    nowUs: () => NOW_MS * 1_000 + tick(),
    issuedAt: () => new Date(NOW_MS + tick()),
    get foreignScore() {
      return 1_790_000_000_000 + tick();
    },
    get server() {
      return `server-${tick()}`;
    },
    get epoch() {
      return `epoch-${tick()}`;
    },
  };
  return (world, command) => {
    const now = toDo(world, command);
    return now && apply(world, now, outside);
  };
}

const codes = (world: World): string[] => drift(world.campaign, NOW_MS).map(({ code, userId }) => `${code} ${userId ?? ''}`.trim());

describe('the reference model of a campaign', () => {
  it.each([
    ['users and workers', harmless],
    ['operators', operated],
  ])('keeps every promise at every step, whatever %s do, while nothing is lost', (_name, histories) => {
    fc.assert(
      fc.property(histories(70), totals, (history, pieces) => {
        const world = newWorld(pieces, 'epoch', 'server');
        const play = player();
        for (const command of history) {
          play(world, command);
          expect(impossible(world.campaign)).toEqual([]);
          expect(codes(world).filter((code) => !code.startsWith('lease_absurd'))).toEqual([]);
          const { admitted, waiting } = world.campaign.redis;
          expect([...world.owed].filter((userId) => !admitted.has(userId) && !waiting.has(userId))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['operators', operated],
    ['disasters', disastrous],
    ['disasters that promise too much', overPromised],
  ])('never over-issues whatever %s do, and after a repair one more pass serves everybody who is owed a coupon', (_name, histories) => {
    fc.assert(
      fc.property(histories(70), totals, (history, pieces) => {
        const world = newWorld(pieces, 'epoch', 'server');
        const play = player();
        for (const command of [...history, ...SETTLE]) {
          play(world, command);
          expect(impossible(world.campaign)).toEqual([]);
        }
        const { redis, ledger } = world.campaign;
        expect([redis.waiting.size, redis.leases.size]).toEqual([0, 0]);
        expect([...world.owed].filter((userId) => !ledger.rows.has(userId) && !redis.dead.has(userId))).toEqual([]);
        // Neither can be mended: it has happened, and nobody can say whose hash that is.
        expect(codes(world).filter((code) => code !== 'served_out_of_order' && !code.startsWith('hash_only'))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
