import type { AdmissionOutcome } from './outcome.ts';

/** How our endpoint says each outcome of a request; `serve` answers and `submit --url` reads by the same table. */
export const HTTP_STATUS: Readonly<Record<AdmissionOutcome, number>> = {
  accepted: 202,
  duplicate: 409,
  sold_out: 410,
  not_open: 403,
  unknown_coupon: 404,
  unavailable: 503,
};

const OUTCOME_OF = new Map(Object.entries(HTTP_STATUS).map(([outcome, status]) => [status, outcome as AdmissionOutcome]));

/** What a status says about a request; no rule explains any other one. */
export function outcomeOfStatus(status: number): AdmissionOutcome | 'unexpected' {
  return OUTCOME_OF.get(status) ?? 'unexpected';
}

/**
 * What a whole reply says. Any server answers 404 to a path that it does not know, so there the code of the problem document
 * decides.
 *
 * @param code of the problem document; undefined when the reply is none
 */
export function outcomeOfReply(status: number, code: unknown): AdmissionOutcome | 'unexpected' {
  if (status === HTTP_STATUS.unknown_coupon && code !== 'unknown_coupon') return 'unexpected';
  return outcomeOfStatus(status);
}
