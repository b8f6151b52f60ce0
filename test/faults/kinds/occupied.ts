import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Connections of others, which nobody else can have meanwhile. */
export interface Occupied extends AsyncDisposable {
  /** How many. */
  readonly size: number;
  /** Returns when there are as many as were asked for. */
  complete(): Promise<void>;
}

const RETRY_MS = 50;

/**
 * Opens connections until there are as many, and a new one in the place of each that is lost or refused.
 *
 * @param first what each of them does, to be one that counts
 */
export async function occupy(url: string, most: number, first: string): Promise<Occupied> {
  const held = new Set<pg.Client>();
  let open = true;
  const takeOne = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url, application_name: 'others' });
    const lost = new Promise<void>((resolve) => client.once('end', () => resolve()));
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(first);
      held.add(client);
      if (open) await Promise.race([lost, over]);
    } catch {
      await delay(RETRY_MS);
    } finally {
      held.delete(client);
      await client.end().catch(() => undefined);
    }
  };
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const isOpen = (): boolean => open;
  const takers = Array.from({ length: most }, async () => {
    while (isOpen()) await takeOne();
  });
  return {
    get size() {
      return held.size;
    },
    async complete() {
      while (held.size < most) await delay(RETRY_MS);
    },
    async [Symbol.asyncDispose]() {
      open = false;
      end();
      await Promise.all(takers);
    },
  };
}
