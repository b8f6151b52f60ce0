import type { RedisConnection } from '../connection/connection.ts';

interface ScanOptions {
  match: string;
  count: number;
  type?: string;
}

/** Keys of all servers, in chunks; a key may come more than once, as SCAN allows, also while it moves to another server. */
export async function* scanAll(connection: RedisConnection, options: ScanOptions): AsyncGenerator<string[]> {
  for (const client of connection.everyServer()) yield* client.scanStream(options) as AsyncIterable<string[]>;
}

/** As {@link scanAll}, for keys that need not be text. */
export async function* scanAllBytes(connection: RedisConnection, options: ScanOptions): AsyncGenerator<Buffer[]> {
  for (const client of connection.everyServer()) yield* client.scanBufferStream(options) as AsyncIterable<Buffer[]>;
}

/** A text that a pattern matches literally. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, String.raw`\$&`);
}
