import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FindingReport } from '../../src/app/audit.ts';
import { drift, impossible } from '../../src/core/campaign/drift.ts';
import { oldestFirst, type Campaign } from '../../src/core/campaign/state.ts';
import {
  applyToModel,
  disastrous,
  LEASE_MS,
  newWorld,
  operated,
  overPromised,
  SETTLE,
  toDo,
  totals,
  type Command,
  type World,
} from '../support/campaign-history.ts';
import {
  applyToStores,
  auditReal,
  campaignPorts,
  newRealCampaign,
  readLedger,
  readRedis,
  refuseBots,
  type CampaignPorts,
  type RealCampaign,
} from '../support/campaign-stores.ts';
import { openStores, type TestStores } from '../support/stores.ts';

type State = Pick<Campaign, 'redis' | 'ledger' | 'server'>;

/** A state as it can be compared: no clock of ours, no id of a server, and of a refusal only the SQLSTATE. */
function portrait({ redis, ledger, server }: State): unknown {
  const now = Date.now();
  const lease = (deadline: number): string => (deadline <= now ? 'over' : deadline > now + 2 * LEASE_MS ? 'absurd' : 'held');
  return {
    coupon: redis.coupon && { ...redis.coupon, run: redis.coupon.run === server ? 'this server' : 'another' },
    waiting: [...redis.waiting],
    leases: new Map([...redis.leases].map(([userId, deadline]) => [userId, lease(deadline)])),
    dead: new Map([...redis.dead].map(([userId, reason]) => [userId, sqlState(reason)])),
    ...{ admitted: redis.admitted, claims: redis.claims, issued: redis.issued, ledger },
  };
}

function sqlState(reason: string): string {
  return reason.replace(/^(\d{5}) .*/, '$1');
}

/** Answers of both sides in one form: rows come in no order, and a row is what the ledger and an ack have of it. */
function comparable(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('rows' in answer)) return answer;
  const { rows, refused, stopped } = answer as { rows: { userId: string }[]; refused: { reason: string }[]; stopped: unknown };
  const sorted = rows.toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
  return { rows: sorted, refused: refused.map((one) => ({ ...one, reason: sqlState(one.reason) })), stopped };
}

/** Findings by code, with whom they are about; who was overtaken is for the order proof alone to say. */
function findings(found: readonly { code: string; users: readonly string[] }[]): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const { code, users } of found) result[code] = code === 'served_out_of_order' ? [] : [...(result[code] ?? []), ...users].toSorted();
  return result;
}

async function sameFindings(real: RealCampaign, { campaign }: World): Promise<void> {
  const expected = drift(campaign, Date.now()).map(({ code, userId }) => ({ code, users: userId === null ? [] : [userId] }));
  const { findings: found } = await auditReal(real);
  expect(findings(found.map(({ code, sample }: FindingReport) => ({ code, users: sample })))).toEqual(findings(expected));
}

/** What the others did to the ledger would be seen at the end. */
function touchesLedger(command: Command): boolean {
  return ['repair', 'reset', 'rollBackLedger'].includes(command.kind) || (command.kind === 'work' && command.step === 'commit');
}

describe('real stores and the reference model of a campaign', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores({ durable: false });
    await refuseBots(stores);
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  let steps = 0;
  async function play(history: readonly Command[], total: number, ports: CampaignPorts = campaignPorts(stores)): Promise<void> {
    const real = await newRealCampaign(stores, ports, total);
    let ledger = await readLedger(stores);
    const world = newWorld(total, ledger.epoch, stores.connection.run);
    let servers = 0;
    for (const command of [...history, ...SETTLE]) {
      const now = toDo(world, command);
      if (!now) continue;
      steps += 1;
      const said = `at ${JSON.stringify(now)}`;
      const { answer, outside } = await applyToStores(real, now);
      const expected = applyToModel(world, now, {
        ...{
          nowMs: Date.now(),
          nowUs: () => 0,
          issuedAt: () => new Date(0),
          foreignScore: 0,
          epoch: '',
          server: `server-${(servers += 1)}`,
        },
        ...outside,
      });
      expect(comparable(answer), said).toEqual(comparable(expected));
      if (touchesLedger(now)) ledger = await readLedger(stores);
      const { redis } = world.campaign;
      const waiting = new Map(oldestFirst(redis.waiting).map((userId) => [userId, redis.waiting.get(userId)!]));
      const found = { redis: await readRedis(stores), ledger, server: stores.connection.run };
      expect(portrait(found), said).toEqual(portrait({ ...world.campaign, redis: { ...redis, waiting } }));
      expect(impossible(world.campaign), said).toEqual([]);
      if (now.kind === 'repair') await sameFindings(real, world);
    }
    expect(await readLedger(stores)).toEqual(world.campaign.ledger);
    await sameFindings(real, world);
  }

  it.each([
    ['operators', operated],
    ['disasters', disastrous],
    ['disasters that promise too much', overPromised],
  ])(
    'agree on every answer and on everything stored, whatever %s do',
    async (_name, histories) => {
      steps = 0;
      const start = Date.now();
      try {
        await fc.assert(
          fc.asyncProperty(histories(60), totals, async (history, total) => play(history, total)),
          { numRuns: 80 },
        );
      } finally {
        console.log('steps', steps, Date.now() - start);
      }
    },
    300_000,
  );
});
