import pg from 'pg';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import { cleanAudit, type CleanAudit } from './clean-audit.ts';
import { median, repeated, type Figure } from './figures.ts';
import { issuedCampaign } from './issued-campaign.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const RUNS = 5;
const MANY = 1_000_000;
const FEW = 100_000;

/**
 * `audit` of a million issued users: the memory that it takes does not grow with their number, and it takes no longer than some times
 * what reading the same users once, and comparing nothing, takes.
 *
 * That reference is HSCAN over the hash of everyone admitted and then COPY TO STDOUT of the coupon's rows, in this process, which is
 * warm, with the same two clients. It does not read the million issued hashes, which HSCAN cannot reach; the audit does. The audit is
 * timed as a whole process.
 */
export async function auditAtScale(): Promise<Figure[]> {
  await using stores = await ownStores();
  await issuedCampaign(stores, 'few', FEW);
  await issuedCampaign(stores, 'many', MANY);
  const rounds = await repeated(RUNS, async () => ({
    few: await soldOutAudit(stores, 'few', FEW),
    many: await soldOutAudit(stores, 'many', MANY),
    reference: await readOnce(stores, 'many', MANY),
  }));
  const figures = [timeFigure(rounds.map(({ many, reference }) => ({ audit: many.seconds, reference })))];
  if (rounds.every(({ many }) => many.peakMb > 0)) figures.unshift(memoryFigure(rounds));
  else console.error('peak memory of audit: not run, it is read from /proc');
  return figures;
}

function memoryFigure(rounds: readonly { few: { peakMb: number }; many: { peakMb: number } }[]): Figure {
  const [few, many] = [median(rounds.map((round) => round.few.peakMb)), median(rounds.map((round) => round.many.peakMb))];
  return {
    id: 'audit-memory',
    name: 'audit of 1,000,000 issued users : of 100,000, peak memory',
    value: many / few,
    bound: { atMost: 1.3 },
    detail: `medians of ${RUNS}: ${many.toFixed(0)} MB, ${few.toFixed(0)} MB`,
  };
}

function timeFigure(rounds: readonly { audit: number; reference: { hscan: number; copy: number } }[]): Figure {
  const ratios = rounds.map(({ audit: seconds, reference }) => seconds / (reference.hscan + reference.copy));
  const [seconds, hscan, copy] = [
    median(rounds.map((round) => round.audit)),
    median(rounds.map((round) => round.reference.hscan)),
    median(rounds.map((round) => round.reference.copy)),
  ];
  return {
    id: 'audit-time',
    name: 'audit of 1,000,000 issued users : HSCAN of the admitted and COPY of the rows, time',
    value: median(ratios),
    bound: { atMost: 3 },
    detail: `median of ${RUNS} (${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}); ${seconds.toFixed(1)} s : ${hscan.toFixed(1)} s + ${copy.toFixed(1)} s`,
  };
}

async function soldOutAudit(stores: OwnStores, couponId: string, users: number): Promise<CleanAudit> {
  const audit = await cleanAudit(stores, couponId);
  if (audit.issued !== users) throw new Error(`audit saw ${audit.issued} of ${users} users`);
  return audit;
}

/** Seconds that it takes to read everybody once from each store, and to keep nothing. */
async function readOnce({ redis, databaseUrl }: OwnStores, couponId: string, users: number): Promise<{ hscan: number; copy: number }> {
  const started = performance.now();
  let fields = 0;
  for await (const chunk of redis.hscanStream(couponKeys(couponId, 'plain').admitted, { count: 1_000 })) {
    fields += (chunk as string[]).length / 2;
  }
  const between = performance.now();
  const rows = await copyRows(databaseUrl, couponId);
  if (fields < users || rows !== users) throw new Error(`read ${fields} fields and ${rows} rows of ${users} users`);
  return { hscan: (between - started) / 1_000, copy: (performance.now() - between) / 1_000 };
}

async function copyRows(databaseUrl: string, couponId: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const rows = await new Promise<number>((resolve, reject) => {
    let count = 0;
    // What pg asks of a query that it does not know; each row of a COPY comes in a message of its own.
    const copy = {
      submit: (connection: { query(text: string): void }) =>
        connection.query(`COPY (SELECT * FROM issued_coupons WHERE coupon_id = '${couponId}') TO STDOUT`),
      handleCopyData: () => (count += 1),
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => resolve(count),
      handleError: reject,
    };
    client.query(copy as unknown as pg.Submittable);
  });
  await client.end();
  return rows;
}
