/** A power of two: a bit for each place, 16 MB. */
const PLACES = 2 ** 27;

/**
 * Finds names that are met several times, in memory that does not grow with them. Each name has a place; where a place is met a second time,
 * its names are doubtful from then on, and are for the caller to keep. Of a million names a few thousand are so by chance.
 */
export class Repeats {
  readonly #met = new Uint8Array(PLACES / 8);
  readonly #doubtful = new Set<number>();
  #grown = false;

  /** Whether this name may be met several times. */
  meet(name: string): boolean {
    const place = placeOf(name);
    if (this.#doubtful.has(place)) {
      this.#set(place);
      return true;
    }
    if (this.#isSet(place)) {
      this.#doubtful.add(place);
      this.#grown = true;
    }
    this.#set(place);
    return false;
  }

  /** False: this name was never met. */
  mayHaveMet(name: string): boolean {
    return this.#isSet(placeOf(name));
  }

  /** Reads everything again as long as a name turned out to be doubtful that was met before. */
  async settle<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#met.fill(0);
      this.#grown = false;
      const found = await read();
      if (!this.#grown) return found;
    }
  }

  #isSet(place: number): boolean {
    return ((this.#met[place >>> 3]! >>> (place & 7)) & 1) === 1;
  }

  #set(place: number): void {
    this.#met[place >>> 3]! |= 1 << (place & 7);
  }
}

/** FNV-1a, mixed: names differ in their last letters. */
function placeOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return ((hash ^ (hash >>> 16)) >>> 0) % PLACES;
}
