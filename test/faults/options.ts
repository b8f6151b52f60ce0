import { parseArgs } from 'node:util';

export interface SuiteOptions {
  seeds: number[];
  /** Of load and faults for each seed. */
  minutes: number;
  /** Only these kinds; empty: all. */
  only: string[];
  /** Seeds at a time, each on stores of its own. */
  abreast: number;
  /** Write the tables into docs/faults.md. */
  docs: boolean;
}

export const USAGE = `npm run test:faults -- [--seed N[,N…]]… [--minutes M] [--only KIND[,KIND…]] [--abreast N] [--docs]

  --seed N     repeats the campaigns of a seed; without it one is drawn
  --minutes M  how long each seed may take, roughly (default 5)
  --only KIND  nothing but these kinds of faults
  --abreast N  that many seeds at a time, each on stores of its own (default 1)
  --docs       writes the tables into docs/faults.md`;

const LARGEST_SEED = 0xffff_ffff;

/** @throws Error that says what is wrong with the arguments */
export function parseOptions(argv: readonly string[], kinds: readonly string[], draw: () => number): SuiteOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string', multiple: true, default: [] },
      minutes: { type: 'string', default: '5' },
      only: { type: 'string', multiple: true, default: [] },
      abreast: { type: 'string', default: '1' },
      docs: { type: 'boolean', default: false },
    },
  });
  const seeds = listed(values.seed).map((text) =>
    number(text, '--seed', (value) => Number.isInteger(value) && value >= 0 && value <= LARGEST_SEED),
  );
  const only = listed(values.only);
  const unknown = only.find((kind) => !kinds.includes(kind));
  if (unknown !== undefined) throw new Error(`--only: there is no kind "${unknown}"; there are ${kinds.join(', ')}`);
  const abreast = number(values.abreast, '--abreast', (value) => Number.isInteger(value) && value > 0);
  const minutes = number(values.minutes, '--minutes', (value) => value > 0);
  return { seeds: seeds.length > 0 ? seeds : [draw()], minutes, only, abreast, docs: values.docs };
}

function listed(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',')).filter((value) => value !== '');
}

function number(text: string, flag: string, fits: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() === '' || !fits(value)) throw new Error(`${flag}: "${text}" is not possible`);
  return value;
}
