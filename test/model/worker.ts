/** What a worker remembers between its steps, and loses when it dies. The steps are those of `drain/pass.ts`, one by one. */
import type { Claim } from '../../src/campaign/coupon.ts';
import { lowestFence } from '../../src/drain/issue-batch.ts';
import { ack, bury, claim, release, type ClaimAnswer, type ClaimRequest } from './claims.ts';
import { isLedgerBehind, markSuspect } from './doubt.ts';
import { commit, type CommitAnswer, type CommitOptions } from './ledger.ts';
import type { Campaign } from './state.ts';

/** Claims of one pass, and what the ledger said about them; null: it was not asked yet. */
export interface Batch {
  epoch: string;
  claims: Claim[];
  result: CommitAnswer | null;
}

/** `behind`: the ledger has less than was acknowledged, so the claims were given back and nothing is to be done. */
export type PassAnswer = { answer: ClaimAnswer; behind: boolean };

/** A new pass. @returns null for the batch: there is nothing to do */
export function startPass(campaign: Campaign, request: Omit<ClaimRequest, 'epoch'>, nowMs: number): PassAnswer & { batch: Batch | null } {
  const { epoch } = campaign.ledger;
  const answer = claim(campaign, { ...request, epoch }, nowMs);
  if (answer.status !== 'ok') return { answer, behind: false, batch: null };
  const behind = isLedgerBehind(campaign, answer.acked);
  if (behind) release(campaign, epoch, answer.claims);
  return { answer, behind, batch: behind || answer.claims.length === 0 ? null : { epoch, claims: answer.claims, result: null } };
}

export function commitBatch(campaign: Campaign, batch: Batch, options: Omit<CommitOptions, 'epoch'>): CommitAnswer {
  batch.result = commit(campaign, batch.claims, { ...options, epoch: batch.epoch });
  return batch.result;
}

export function ackBatch(campaign: Campaign, { epoch, claims, result }: Batch): ReturnType<typeof ack> {
  return ack(campaign, epoch, result?.rows ?? [], lowestFence(claims));
}

export function buryRefused(campaign: Campaign, { epoch, result }: Batch): number {
  return bury(campaign, epoch, result?.refused ?? []);
}

/** Passing the total is no user's fault: somebody was promised what is not there. */
export function reportGuard(campaign: Campaign, { epoch, result }: Batch): void {
  if (result?.stopped?.status === 'guarded') markSuspect(campaign, epoch, result.stopped.constraint);
}

export function releaseRest(campaign: Campaign, batch: Batch): number {
  return release(campaign, batch.epoch, unsettled(batch));
}

/** Whom the ledger has said nothing about. */
export function unsettled({
  claims,
  result,
}: Pick<Batch, 'claims'> & { result: { rows: { userId: string }[]; refused: { userId: string }[] } | null }): Claim[] {
  const settled = new Set([...(result?.rows ?? []), ...(result?.refused ?? [])].map((one) => one.userId));
  return claims.filter((one) => !settled.has(one.userId));
}
