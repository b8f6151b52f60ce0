/**
 * Says who of very many users has been called but not seen, without remembering any of them. Each user has a bucket and a tag, both
 * from a hash of the id. A call adds the tag to the bucket's sum, a sight takes it away: where nothing is left, everybody was
 * seen. Users of the other buckets are to be looked at one by one: besides missing users these are the few who share a
 * bucket with them, and users who were called or seen twice.
 *
 * Order does not matter, and memory is the same for a hundred users and for a hundred million: 4 MB. Tags have 31 bits of their
 * own, so a bucket with a missing user looks settled once in two billion times.
 */
const BUCKETS = 1 << 20;

export class RollCall {
  readonly #sums: Int32Array;

  constructor(buckets = BUCKETS) {
    this.#sums = new Int32Array(buckets);
  }

  call(userId: string): void {
    const { bucket, tag } = this.#place(userId);
    this.#sums[bucket]! += tag; // wraps around, as it should
  }

  see(userId: string): void {
    const { bucket, tag } = this.#place(userId);
    this.#sums[bucket]! -= tag;
  }

  /** Every user who was called was seen. */
  isSettled(): boolean {
    return this.#sums.every((sum) => sum === 0);
  }

  /** False only for users who were seen. */
  mayBeMissing(userId: string): boolean {
    return this.#sums[this.#place(userId).bucket] !== 0;
  }

  /** FNV-1a with two bases, so that users of one bucket have different tags. */
  #place(userId: string): { bucket: number; tag: number } {
    let bucket = 0x811c9dc5;
    let tag = 0x01234567;
    for (let i = 0; i < userId.length; i++) {
      const char = userId.charCodeAt(i);
      bucket = Math.imul(bucket ^ char, 0x01000193);
      tag = Math.imul(tag ^ char, 0x85ebca6b);
    }
    return { bucket: (bucket >>> 0) % this.#sums.length, tag: tag | 1 };
  }
}
