import type { LoadPlan } from '../ports.ts';
import { loopbackOf } from '../../lib/net/loopback.ts';
import type { AutocannonClient } from './autocannon-client.ts';

/** autocannon ends a run on its next sample. */
const SAMPLE_MS = 20;
/** Longer than any phase: our executors end a phase, not autocannon's clock, which would cut off replies under way. */
const NEVER_SECONDS = 2_000_000;

interface AutocannonOptions {
  url: string;
  servername?: string;
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
  { target, tls, request }: Pick<LoadPlan, 'target' | 'tls' | 'request'>,
  connections: number,
  on: { setup: (client: AutocannonClient) => void; begin: () => void },
): Promise<void> {
  const tlsOptions = tls?.ca == null ? {} : { ca: tls.ca };
  const address = await addressOf(target, request.headers);
  const fixed = { pipelining: 1, duration: NEVER_SECONDS, sampleInt: SAMPLE_MS, timeout: 1 } as const;
  await new Promise<void>((resolve, reject) => {
    autocannon({ ...address, connections, ...fixed, tlsOptions, setupClient: on.setup }, (error) => (error ? reject(error) : resolve()));
    // autocannon counts a client's end only once all of them are built.
    setImmediate(on.begin);
  });
}

/** Where to connect: "localhost" is an address of its own, and a Host header of the scenario is the name that TLS asks for. */
async function addressOf(target: string, headers: Record<string, string>): Promise<{ url: string; servername?: string }> {
  const url = new URL(target);
  const host = Object.entries(headers)
    .find(([name]) => name.toLowerCase() === 'host')?.[1]
    .replace(/:\d+$/, '');
  const secure = url.protocol === 'https:';
  const name = host ?? url.hostname;
  if (url.hostname === 'localhost') {
    const address = await loopbackOf(Number(url.port) || (secure ? 443 : 80));
    if (address !== null) url.hostname = address.includes(':') ? `[${address}]` : address;
  }
  // An address is no name for SNI (RFC 6066 §3).
  return { url: url.href.replace(/\/$/, ''), ...(secure && /[a-z]/i.test(name) && !name.includes(':') ? { servername: name } : {}) };
}
