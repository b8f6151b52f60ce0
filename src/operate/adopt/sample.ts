/** A count with the first few that were counted. */
export interface Sampled {
  count: number;
  sample: string[];
}

export const SAMPLE_SIZE = 5;

/** Counts by name, each with a sample. */
export class Samples<Name extends string> {
  readonly #all = new Map<Name, Sampled>();

  add(name: Name, example: string): void {
    const known = this.#all.get(name) ?? { count: 0, sample: [] };
    known.count += 1;
    if (known.sample.length < SAMPLE_SIZE) known.sample.push(example);
    this.#all.set(name, known);
  }

  addAll(others: Samples<Name>): void {
    for (const [name, { count, sample }] of others.entries()) {
      const known = this.#all.get(name) ?? { count: 0, sample: [] };
      const samples = [...known.sample, ...sample].slice(0, SAMPLE_SIZE);
      this.#all.set(name, { count: known.count + count, sample: samples });
    }
  }

  entries(): [Name, Sampled][] {
    return [...this.#all];
  }
}

/** How often each of some names was met. */
export class Counts<Name extends string> {
  readonly #all = new Map<Name, number>();

  add(name: Name): void {
    this.#all.set(name, (this.#all.get(name) ?? 0) + 1);
  }

  toObject(): Partial<Record<Name, number>> {
    return Object.fromEntries(this.#all) as Partial<Record<Name, number>>;
  }
}
