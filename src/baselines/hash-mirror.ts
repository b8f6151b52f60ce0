import type { LedgerReader } from '../campaign/ports/ledger.ts';
import type { AckRow, Acknowledgement } from '../campaign/ports/acknowledgement.ts';

const BATCH = 200;

/**
 * Copies what `rdb-lock` has issued into Redis, after the answer. The old way knew no Redis; the copies are there so that the same
 * checks apply to it as to everything else, and so that status, `use` and a reset find the issued coupons. They are no part of what is
 * measured: no answer waits for them, and no lock is held meanwhile.
 */
export class HashMirror {
  readonly #claims: Acknowledgement;
  readonly #ledger: Pick<LedgerReader, 'coupon'>;
  readonly #onFault: (error: unknown) => void;
  #rows: AckRow[] = [];
  #copying: Promise<void> | null = null;

  constructor(ports: { claims: Acknowledgement; ledger: Pick<LedgerReader, 'coupon'> }, onFault: (error: unknown) => void) {
    this.#claims = ports.claims;
    this.#ledger = ports.ledger;
    this.#onFault = onFault;
  }

  add(row: AckRow): void {
    this.#rows.push(row);
    this.#copying ??= this.#copy().finally(() => (this.#copying = null));
  }

  /** Everything that was added so far has been copied, or has been given up with a fault. */
  async flushed(): Promise<void> {
    while (this.#copying) await this.#copying;
  }

  async #copy(): Promise<void> {
    while (this.#rows.length > 0) {
      const { couponId } = this.#rows[0]!;
      const batch = this.#rows.slice(0, BATCH).filter((row) => row.couponId === couponId);
      try {
        // For its epoch: after a reset the copies of the old life are not wanted any more, and the script leaves them out.
        const coupon = await this.#ledger.coupon(couponId);
        if (coupon) await this.#claims.ack(couponId, coupon.epoch, batch);
      } catch (error) {
        this.#onFault(error);
      }
      const done = new Set(batch);
      this.#rows = this.#rows.filter((row) => !done.has(row));
    }
  }
}
