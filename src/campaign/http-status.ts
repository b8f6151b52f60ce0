import type { AdmissionOutcome } from './outcome.ts';

/** How our endpoint says each outcome of a request; `serve` answers and `submit --url` reads by the same table. */
export const HTTP_STATUS: Readonly<Record<AdmissionOutcome, number>> = {
  accepted: 202,
  duplicate: 409,
  sold_out: 410,
  not_open: 403,
  unknown_coupon: 404,
  unavailable: 503,
  not_yet_open: 403,
  closed: 403,
};

const BY_STATUS = Object.entries(HTTP_STATUS) as [AdmissionOutcome, number][];
/** Of those that share a status, the first: the most general. */
const OUTCOME_OF = new Map(BY_STATUS.toReversed().map(([outcome, status]) => [status, outcome]));

/** What a status says about a request; no rule explains any other one. */
export function outcomeOfStatus(status: number): AdmissionOutcome | 'unexpected' {
  return OUTCOME_OF.get(status) ?? 'unexpected';
}

/**
 * What a whole reply says: the code of the problem document, else the status. Any server answers 404 to a path that it does not know, so there the code of the problem document
 * decides.
 *
 * @param code of the problem document; undefined when the reply is none
 */
export function outcomeOfReply(status: number, code: unknown): AdmissionOutcome | 'unexpected' {
  const named = BY_STATUS.find(([outcome, own]) => outcome === code && own === status);
  if (named) return named[0];
  if (status === HTTP_STATUS.unknown_coupon) return 'unexpected';
  return outcomeOfStatus(status);
}
