import type { Redis } from 'ioredis';
import type { DatabaseGate } from './database-gate.ts';

/** No link need drop when a primary becomes a replica. */
const ASKED_EVERY_MS = 1_000;

/** Several sections at once came with Redis 7.0; an older one is asked for all of them, so that it can be named as too old. */
export async function infoOf(client: Redis, ...sections: string[]): Promise<string> {
  try {
    return await client.info(...sections);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('ERR syntax')) return await client.info();
    throw error;
  }
}

/** A field of the reply to INFO; empty when it is not there. */
export function infoField(info: string, name: string): string {
  return new RegExp(`^${name}:(.*)\r?$`, 'm').exec(info)?.[1]?.trim() ?? '';
}

/** @param info with the section `replication` */
export function isWritableReplica(info: string): boolean {
  return infoField(info, 'role') === 'slave' && infoField(info, 'slave_read_only') === '0';
}

/**
 * Keeps `gate.isWritableReplica` true to what the server is, for a long-lived connection. Returns the way to stop.
 *
 * @param isKnown whether the present link has learnt whose it is; until then it asks by itself
 */
export function watchRole(gate: DatabaseGate, isKnown: () => boolean): () => void {
  const ask = async (): Promise<void> => {
    if (!isKnown()) return;
    const { stream: link, isWritableReplica: before } = gate;
    try {
      const info = await gate.info('replication');
      if (gate.stream !== link) return;
      gate.isWritableReplica = isWritableReplica(info);
      // The address may lead to the new primary by now.
      if (before && gate.isWritableReplica) gate.disconnect(true);
    } catch {
      // The link is down or silent, and others find that out.
    }
  };
  const timer = setInterval(() => void ask(), ASKED_EVERY_MS).unref();
  return () => clearInterval(timer);
}
