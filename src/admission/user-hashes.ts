/** Of the table that is filled at most. */
const FILL = 0.5;
const SMALLEST = 1_024;

/**
 * A set of users that takes 8 bytes for each and may answer "maybe" for others, about once in 2³² for each user in it; a user in it is
 * never missed. Open addressing over 32-bit hashes, so that it grows without a long step.
 */
export class UserHashes {
  readonly #slots: Uint32Array;
  #count = 0;

  /** @param expected number of users; it holds no more than that, and a few */
  constructor(expected: number) {
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(SMALLEST, expected / FILL))));
  }

  /** @returns false when there is no room left: more came than was expected */
  add(userId: string): boolean {
    const hash = hashOf(userId);
    const at = this.#find(hash);
    if (this.#slots[at] === hash) return true;
    if (this.#count >= this.#slots.length * FILL) return false;
    this.#slots[at] = hash;
    this.#count += 1;
    return true;
  }

  mayHave(userId: string): boolean {
    return this.#slots[this.#find(hashOf(userId))] !== 0;
  }

  /** The slot that holds the hash, or the empty one where it belongs. */
  #find(hash: number): number {
    const mask = this.#slots.length - 1;
    let at = hash & mask;
    while (this.#slots[at] !== 0 && this.#slots[at] !== hash) at = (at + 1) & mask;
    return at;
  }
}

/** FNV-1a, 32 bits, mixed at the end because its low bits alone choose the slot; never 0, which is an empty slot. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}
