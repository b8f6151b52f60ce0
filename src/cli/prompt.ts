import { createInterface } from 'node:readline';
import { usageError } from '../lib/errors.ts';
import type { Env } from './env.ts';

export interface Question<T> {
  text: string;
  /** Taken for an empty answer, and shown in brackets. */
  initial: string;
  /** Turns the answer into a value; what it throws is shown, and the question is put again. */
  parse: (answer: string) => T;
}

/** Puts questions on the terminal, one after another. */
export class Prompt implements Disposable {
  readonly #env: Env;
  readonly #reader: ReturnType<typeof createInterface>;
  readonly #lines: AsyncIterator<string>;

  constructor(env: Env) {
    this.#env = env;
    // The terminal itself edits the line and shows what is typed.
    this.#reader = createInterface({ input: env.stdin, terminal: false });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @throws CouponError `NO_ANSWER` when the input ends */
  async ask<T>({ text, initial, parse }: Question<T>): Promise<T> {
    for (;;) {
      this.#env.stderr.write(`${text} [${initial}] `);
      const { value, done } = await this.#lines.next();
      if (done) {
        this.#env.stderr.write('\n');
        throw usageError('NO_ANSWER', `"${text}" was not answered`, 'Answer the questions, or give the flags that --help lists.');
      }
      try {
        return parse(value.trim() === '' ? initial : value.trim());
      } catch (error) {
        this.#env.stderr.write(`  ${(error as Error).message}\n`);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#reader.close();
  }
}
