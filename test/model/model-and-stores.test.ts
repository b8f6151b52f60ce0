import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { ADOPTED, CLOCKS, OVER_PROMISED, type Disagreed } from './disagreed.ts';
import { drift, impossible } from './drift.ts';
import {
  adopted,
  adoptedAndLost,
  disastrous,
  evicting,
  late,
  operated,
  overPromised,
  rewritten,
  rewrittenAhead,
  SETTLE,
  totals,
  type Command,
} from './history.ts';
import { comparable, modelPortrait, portrait, readLedger, readRedis } from './reading.ts';
import { applyToStores, AUDIT, campaignPorts, newRealCampaign, refuseBots, type CampaignPorts } from './stores.ts';
import { applyToModel, newWorld, toDo, type World } from './world.ts';
import { openStores, type TestStores } from '../support/stores.ts';

type Histories = (maxLength: number) => fc.Arbitrary<Command[]>;

/** Findings by code, and whom they are about. Who was overtaken by whom is for the order proof alone to say. */
function byCode(found: readonly { code: string; users: readonly string[] }[]): Record<string, string[]> {
  const users: Record<string, string[]> = {};
  for (const one of found)
    users[one.code] = one.code === 'served_out_of_order' ? [] : [...(users[one.code] ?? []), ...one.users].toSorted();
  return users;
}

/** What other commands did to the ledger would be seen at the end. */
function touchesLedger(command: Command): boolean {
  return (
    ['use', 'revoke', 'change', 'forget', 'purge', 'adopt', 'repair', 'reset', 'rollBackLedger'].includes(command.kind) ||
    (command.kind === 'work' && command.step === 'commit')
  );
}

describe('real stores and the reference model of a campaign', () => {
  let stores: TestStores;
  let ports: CampaignPorts;
  beforeAll(async () => {
    stores = await openStores({ durable: false });
    ports = campaignPorts(stores);
    await refuseBots(stores);
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  async function auditFindsWhatIsWrong({ campaign }: World): Promise<void> {
    const { findings } = await audit(ports.repair, AUDIT);
    const wrong = drift(campaign, Date.now()).map(({ code, userId }) => ({ code, users: userId === null ? [] : [userId] }));
    expect(byCode(findings.map(({ code, sample }) => ({ code, users: sample })))).toEqual(byCode(wrong));
  }

  /** One history on both sides; after every command they must have said the same and hold the same. */
  async function agree(history: readonly Command[], total: number, given = ports): Promise<void> {
    const real = await newRealCampaign(stores, given, total);
    let ledger = await readLedger(stores);
    const world = newWorld(total, ledger.epoch, stores.connection.runOf(''));
    for (const [i, command] of [...history, ...SETTLE].entries()) {
      const now = toDo(world, command);
      if (!now) continue;
      const { answer, outside } = await applyToStores(real, now);
      const unknown = {
        nowUs: () => 0,
        issuedAt: () => new Date(0),
        usedAt: new Date(0),
        revokedAt: new Date(0),
        timeOf: () => 0,
        foreignScore: 0,
        wasInService: null,
        epoch: '',
        resetEpochs: [],
        server: `server-${i}`,
      };
      const expected = applyToModel(world, now, { ...unknown, nowMs: Date.now(), ...outside });
      const said = `after ${JSON.stringify(now)}`;
      expect(comparable(answer), said).toEqual(comparable(expected));
      if (touchesLedger(now)) ledger = await readLedger(stores);
      const found = { redis: await readRedis(stores), ledger, server: stores.connection.runOf('') };
      expect(portrait(found), said).toEqual(modelPortrait(world.campaign));
      expect(impossible(world.campaign), said).toEqual([]);
      if (now.kind === 'repair') await auditFindsWhatIsWrong(world);
    }
    expect(await readLedger(stores)).toEqual(world.campaign.ledger);
  }

  const agreeing = (histories: Histories, maxLength: number, given?: CampaignPorts) =>
    fc.asyncProperty(histories(maxLength), totals, async (history, total) => agree(history, total, given));

  it.each<[string, Histories, Disagreed]>([
    ['late workers', late, []],
    ['operators', operated, []],
    ['other programs', rewritten, []],
    ['other programs and clocks', rewrittenAhead, CLOCKS],
    ['evictions', evicting, []],
    ['adoptions and disasters', adoptedAndLost, ADOPTED],
    ['disasters', disastrous, []],
    ['disasters that promise too much', overPromised, OVER_PROMISED],
  ])(
    'agree on every answer and on all that is stored, whatever %s do',
    async (_name, histories, disagreed) => {
      // A disagreement is told in time, however long it might still be made smaller.
      await fc.assert(agreeing(histories, 50), { numRuns: 50, examples: [...disagreed], interruptAfterTimeLimit: 240_000 });
    },
    300_000,
  );

  /** Disagreement must be found, and not only something thrown; how small a history shows it is of no interest here. */
  const DISAGREEMENT = { failed: true, errorInstance: { name: 'AssertionError' } };
  const check = async (histories: Histories, given?: CampaignPorts) =>
    fc.check(agreeing(histories, 30, given), { numRuns: 100, endOnFailure: true });

  it('disagree when an ack forgets the claim', async () => {
    const { ack } = ports.claims;
    const forgetful: typeof ack = async (couponId, epoch, rows) => {
      const before = await stores.redis.hgetall('coupon_claims:42');
      const answer = await ack(couponId, epoch, rows);
      if (Object.keys(before).length > 0) await stores.redis.hset('coupon_claims:42', before);
      return answer;
    };
    expect(await check(late, { ...ports, claims: { ...ports.claims, ack: forgetful } })).toMatchObject(DISAGREEMENT);
  });

  it('disagree when a claim does not raise the fence', async () => {
    const { claim } = ports.claims;
    const level: typeof claim = async (couponId, options) => {
      const fence = await stores.redis.hget('coupon:42', 'fence');
      const answer = await claim(couponId, options);
      await stores.redis.hset('coupon:42', 'fence', fence!);
      return answer;
    };
    expect(await check(late, { ...ports, claims: { ...ports.claims, claim: level } })).toMatchObject(DISAGREEMENT);
  });

  it('disagree when a late worker may release what another one holds', async () => {
    const { release } = ports.claims;
    const careless: typeof release = async (couponId, epoch, held) => {
      const records = await Promise.all(held.map(async ({ userId }) => stores.redis.hget('coupon_claims:42', userId)));
      const claims = held.map((one, i) => ({ ...one, fence: records[i] ? Number.parseInt(records[i], 10) : one.fence }));
      return release(couponId, epoch, claims);
    };
    expect(await check(late, { ...ports, claims: { ...ports.claims, release: careless } })).toMatchObject(DISAGREEMENT);
  });

  it('disagree when a claim takes users of a backlog that another worker drains alone', async () => {
    const { claim } = ports.claims;
    const pushy: typeof claim = async (couponId, { holdMs: _ignored, ...options }) => claim(couponId, options);
    expect(await check(late, { ...ports, claims: { ...ports.claims, claim: pushy } })).toMatchObject(DISAGREEMENT);
  });

  it('disagree when the ledger answers only for whom it has just inserted', async () => {
    const { issue, rows } = ports.ledger;
    const terse: typeof issue = async (couponId, claims, options) => {
      const before = new Set(
        (
          await rows(
            couponId,
            claims.map((one) => one.userId),
          )
        ).map((row) => row.userId),
      );
      const answer = await issue(couponId, claims, options);
      return answer.status === 'ok' ? { ...answer, rows: answer.rows.filter((row) => !before.has(row.userId)) } : answer;
    };
    expect(await check(late, { ...ports, ledger: { ...ports.ledger, issue: terse } })).toMatchObject(DISAGREEMENT);
  });

  it('disagree when a repair puts a coupon back into service without its stock', async () => {
    const { redis } = ports.repair;
    const restore: typeof redis.restore = async (coupon) => {
      await stores.redis.hset('coupon:42', 'suspect', '', 'run', stores.connection.runOf(''), 'fence', coupon.maxFence);
      return { status: 'ok', stock: 0 };
    };
    expect(await check(overPromised, { ...ports, repair: { ...ports.repair, redis: { ...redis, restore } } })).toMatchObject(DISAGREEMENT);
  });

  it('disagree when an adoption queues users and does not admit them', async () => {
    const { store } = ports.adopt;
    const careless: typeof store.takeOver = async (couponId, epoch, users) => {
      const answer = await store.takeOver(couponId, epoch, users);
      const userIds = users.map(({ userId }) => userId);
      if (userIds.length > 0) await stores.redis.hdel('coupon_admitted:42', ...userIds);
      return answer;
    };
    expect(await check(adopted, { ...ports, adopt: { ...ports.adopt, store: { ...store, takeOver: careless } } })).toMatchObject(
      DISAGREEMENT,
    );
  });

  it('disagree when an adoption that is run again puts a coupon back on sale', async () => {
    const { store } = ports.adopt;
    const generous: typeof store.finishAdoption = async (coupon, stock) =>
      store.finishAdoption(coupon, coupon.issuedQuantity > 0 ? { ...stock, by: stock.by + 1 } : stock);
    expect(await check(adopted, { ...ports, adopt: { ...ports.adopt, store: { ...store, finishAdoption: generous } } })).toMatchObject(
      DISAGREEMENT,
    );
  });

  it('disagree when the guard of the ledger is gone', async () => {
    await stores.sql('ALTER TABLE coupons DROP CONSTRAINT coupons_total');
    expect(await check(overPromised)).toMatchObject(DISAGREEMENT);
    await stores.sql('DELETE FROM issued_coupons; DELETE FROM coupons');
    await stores.sql('ALTER TABLE coupons ADD CONSTRAINT coupons_total CHECK (issued_quantity BETWEEN 0 AND total_quantity)');
  });
});
