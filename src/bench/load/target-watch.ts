/** No connection at all for so long: the target is gone, and the rest of the plan is not sent. */
const LOST_AFTER_MS = 10_000;
/** Faults of connecting by which this machine says that it has no more to give. */
const OWN_LIMITS = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS']);

/** What went wrong on the way to the target, and whether it is still there. */
export class TargetWatch {
  /** How often each fault was seen. */
  readonly faults = new Map<string, number>();
  lost = false;
  readonly #lostAfterMs: number;
  #downSinceMs: number | null = null;

  constructor(lostAfterMs = LOST_AFTER_MS) {
    this.#lostAfterMs = lostAfterMs;
  }

  fault(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }

  connected(): void {
    this.#downSinceMs = null;
  }

  /** A connection could not be made. @returns whether the target counts as lost from here on */
  failed(fault: string, nowMs: number): boolean {
    this.fault(fault);
    // Out of files or ports is this machine's trouble, and says nothing about the target.
    if (OWN_LIMITS.has(fault)) return false;
    this.#downSinceMs ??= nowMs;
    this.lost ||= nowMs - this.#downSinceMs >= this.#lostAfterMs;
    return this.lost;
  }

  /** A load can end before the target has been away for long enough; what it could not send is just as lost. */
  close(unsent: number): void {
    if (this.#downSinceMs !== null && unsent > 0) this.lost = true;
  }
}
