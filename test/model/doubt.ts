/** What may happen to the stores, and how a coupon that can no longer be trusted is taken out of service. */
import { emptyRedis, seeded, type Campaign, type LedgerSide, type RedisSide } from './state.ts';
import { takeBack } from './take-back.ts';

export type VerifyAnswer = { status: 'ok' } | { status: 'gone' } | { status: 'suspect'; reason: string };

/** Another server answers: nothing is known about what it has. */
export function restart(campaign: Campaign, server: string): void {
  campaign.server = server;
}

/** Redis starts with an older file. */
export function rollBackRedis(campaign: Campaign, older: RedisSide, server: string): void {
  campaign.redis = structuredClone(older);
  restart(campaign, server);
}

export function emptyOutRedis(campaign: Campaign, server: string): void {
  rollBackRedis(campaign, emptyRedis(), server);
}

/** A backup of the ledger is restored. */
export function rollBackLedger(campaign: Campaign, older: LedgerSide): void {
  campaign.ledger = structuredClone(older);
}

/** An operator starts over. Hashes go of whoever has a row or was accepted; others cannot be found. */
export function reset(campaign: Campaign, total: number, epoch: string, resetEpochs: readonly string[]): void {
  const { issued, admitted, occupied } = campaign.redis;
  const isStranger = (userId: string): boolean => !admitted.has(userId) && !campaign.ledger.rows.has(userId);
  const left = [...issued].filter(([userId]) => isStranger(userId));
  const stillOccupied = new Set([...occupied].filter(isStranger));
  const { redis, ledger } = seeded(campaign, total, epoch);
  // Both the life that was ended and that of the reset itself are over, which no user was ever accepted in.
  ledger.ended = new Set([...campaign.ledger.ended, campaign.ledger.epoch, ...resetEpochs]);
  Object.assign(campaign, { redis: { ...redis, issued: new Map(left), occupied: stillOccupied }, ledger });
}

/**
 * Compares both stores, each against what the other is known to have reached. A coupon that passes is marked as checked for the server
 * that now runs; one that does not is suspect until a repair.
 */
export function verify(campaign: Campaign): VerifyAnswer {
  const { redis, ledger, server } = campaign;
  const { coupon } = redis;
  if (!coupon) return { status: 'gone' };
  if (coupon.suspect === '' && (coupon.epoch === '' || Number.isNaN(coupon.fence))) coupon.suspect = 'fields';
  if (coupon.suspect === 'fields') takeBack(campaign);
  if (coupon.suspect === '' && coupon.epoch !== ledger.epoch) coupon.suspect = 'epoch';
  if (coupon.suspect === '' && coupon.fence < ledger.maxFence) coupon.suspect = 'fence';
  if (coupon.suspect === '' && coupon.version < ledger.version) coupon.suspect = 'version';
  if (coupon.suspect === '') Object.assign(campaign.redis, { life: ledger.epoch }).coupon!.run = server;
  if (coupon.suspect === '') isLedgerBehind(campaign, coupon.acked);
  return coupon.suspect === '' ? { status: 'ok' } : { status: 'suspect', reason: coupon.suspect };
}

/** Only what the ledger has committed is ever acknowledged: a ledger with less than that has lost it. The coupon is suspect then. */
export function isLedgerBehind(campaign: Campaign, acked: number): boolean {
  const { epoch, maxFence } = campaign.ledger;
  if (acked <= maxFence) return false;
  markSuspect(campaign, epoch, 'ledger');
  return true;
}

/**
 * Everyone who was issued, is claimed or dead was accepted before. If nobody was, the record is lost, and the coupon suspect: somebody
 * might be accepted twice.
 */
export function doubtAdmissions({ coupon, admitted, leases, dead }: RedisSide): void {
  const isLost = admitted.size === 0 && (leases.size > 0 || dead.size > 0 || coupon!.acked > 0);
  if (isLost && coupon!.suspect === '') coupon!.suspect = 'admitted';
}

/** Redis evicts the record of who was accepted, and the issued hashes. */
export function evict({ redis }: Campaign): void {
  redis.admitted.clear();
  redis.issued.clear();
}

/** The first reason stays. */
export function markSuspect({ redis }: Campaign, epoch: string, reason: string): void {
  if (redis.coupon?.epoch === epoch && redis.coupon.suspect === '') redis.coupon.suspect = reason;
}
