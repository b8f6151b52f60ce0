import { foreignEvidence } from '../../../bench/evidence/foreign.ts';
import { ownEvidence } from '../../../bench/evidence/own-stores.ts';
import type { EvidenceSource } from '../../../bench/evidence/source.ts';
import type { ForeignRedis, ForeignStores, IssuedList } from '../../../bench/evidence/foreign-ports.ts';
import type { EvidencePlan, ForeignKeys, IssuedListPlan, StockQuery } from '../../../bench/scenario/verify.ts';
import type { RedisConnection } from '../../../stores/redis/connection/connection.ts';
import type { Database } from '../../../stores/postgres/connection/database.ts';
import type { Context } from '../../context.ts';

/**
 * Opens what scenarios verify against, for a third-party service: nothing is written to any store. Each store is
 * opened when the first scenario asks for it.
 */
export function evidenceOpener(context: Context): (plan: EvidencePlan) => Promise<EvidenceSource> {
  // The keys of another service are spelled in full.
  const redis = once(() => context.readOnlyRedis(''));
  const database = once(() => context.readOnlyDatabase());
  const own = once(async () => {
    const { redisReader } = await import('../../../stores/redis/reader.ts');
    const connection = await context.readOnlyRedis();
    const reader = redisReader(connection, context.keyStyleOf(connection));
    return ownEvidence({ redis: reader, ledger: await context.ledgerOf(await database()), ownKeyspace: false });
  });
  return async (plan) => {
    if (plan.kind === 'own') return own();
    return foreignEvidence({
      redis: plan.redis && (await keysOf(plan.redis, redis)),
      issued: plan.issued && (await listOf(plan.issued, database)),
      stock: plan.stock && (await stockOf(plan.stock, database)),
    });
  };
}

/** Settings of the stores that these plans read. */
export function storesOf(plans: readonly EvidencePlan[]): ('redisUrl' | 'databaseUrl')[] {
  const redis = plans.some((plan) => plan.kind === 'own' || plan.redis !== null);
  const database = plans.some((plan) => plan.kind === 'own' || plan.issued?.kind === 'sql' || plan.stock !== null);
  return [...(redis ? (['redisUrl'] as const) : []), ...(database ? (['databaseUrl'] as const) : [])];
}

async function keysOf(keys: ForeignKeys, redis: () => Promise<RedisConnection>): Promise<ForeignRedis> {
  const { foreignKeys } = await import('../../../stores/redis/keys/foreign-keys.ts');
  return foreignKeys(await redis(), keys);
}

async function listOf(plan: IssuedListPlan, database: () => Promise<Database>): Promise<IssuedList> {
  if (plan.kind === 'csv') return (await import('../../../bench/evidence/csv-issued.ts')).csvIssuedList(plan.path, plan.by);
  const { sqlIssuedList } = await import('../../../stores/postgres/foreign-issued.ts');
  return sqlIssuedList(await database(), plan);
}

async function stockOf(plan: StockQuery, database: () => Promise<Database>): Promise<ForeignStores['stock']> {
  const { sqlStock } = await import('../../../stores/postgres/foreign-issued.ts');
  return sqlStock(await database(), plan);
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | null = null;
  return () => (opened ??= open());
}
