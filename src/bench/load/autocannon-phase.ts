import type { LoadPlan } from '../ports.ts';
import type { AutocannonClient } from './autocannon-client.ts';

/** autocannon ends a run on its next sample. */
const SAMPLE_MS = 20;
/** Longer than any phase: our executors end a phase, not autocannon's clock, which would cut off replies under way. */
const NEVER_SECONDS = 2_000_000;

interface AutocannonOptions {
  url: string;
  connections: number;
  pipelining: 1;
  duration: number;
  sampleInt: number;
  timeout: number;
  tlsOptions: { ca?: string };
  setupClient(client: AutocannonClient): void;
}

/** The types that are published are of version 7. */
export type Autocannon = (options: AutocannonOptions, done: (error: Error | null) => void) => void;

/**
 * One run of autocannon, until all of its clients have ended.
 *
 * @param on `setup` gets each client before it connects; `begin` is called once all of them are built
 */
export async function runAutocannon(
  autocannon: Autocannon,
  { target, tls }: Pick<LoadPlan, 'target' | 'tls'>,
  connections: number,
  on: { setup: (client: AutocannonClient) => void; begin: () => void },
): Promise<void> {
  const tlsOptions = tls?.ca == null ? {} : { ca: tls.ca };
  const fixed = { pipelining: 1, duration: NEVER_SECONDS, sampleInt: SAMPLE_MS, timeout: 1 } as const;
  await new Promise<void>((resolve, reject) => {
    autocannon({ url: target, connections, ...fixed, tlsOptions, setupClient: on.setup }, (error) => (error ? reject(error) : resolve()));
    // autocannon counts a client's end only once all of them are built.
    setImmediate(on.begin);
  });
}
