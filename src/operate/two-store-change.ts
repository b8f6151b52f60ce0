/**
 * A change of a coupon that both stores have to know. The ledger's row says first that it is under way, so that an interrupted one can be
 * seen and is finished by the same command; then Redis follows; then the row says that it is done. Every step may be repeated.
 */
export interface TwoStoreChange<Begun, Done> {
  /** Marks the change in the ledger, or finds the mark of one that was interrupted. */
  begin: () => Promise<Begun>;
  inRedis: (begun: Begun) => Promise<void>;
  finish: (begun: Begun) => Promise<Done>;
}

/** @throws what a step throws; the steps before it stand, and the same change may be begun again */
export async function changeBothStores<Begun, Done>(change: TwoStoreChange<Begun, Done>): Promise<Done> {
  const begun = await change.begin();
  await change.inRedis(begun);
  return change.finish(begun);
}
