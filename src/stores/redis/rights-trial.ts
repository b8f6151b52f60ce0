import type { RedisConnection } from './connection/connection.ts';
import { couponKeys } from './keys/keys.ts';
import { ARGUMENTS } from './script-rights.ts';
import { runScript, scriptSource } from './script.ts';

/** A command and the key that it is for; no key: null. */
export interface Wanted {
  command: string;
  key: string | null;
}

/** Whether the user of a connection may call scripts at all is seen by calling one. */
const CALLS = ['EVALSHA', 'EVAL'] as const;

/**
 * Which of these the user of this connection may not run. Nothing is run, and no right to look at access lists is needed: a script may
 * ask about the user that called it.
 *
 * @param wanted keys in full, with their prefix
 * @returns null where the server cannot tell: before Redis 7.0
 * @throws CouponError as any command
 */
export async function deniedCommands(connection: RedisConnection, wanted: readonly Wanted[]): Promise<Wanted[] | null> {
  const args = wanted.flatMap(({ command, key }) => {
    const words = [command, ...(key === null ? [] : [key]), ...(ARGUMENTS[command.toLowerCase()] ?? [])];
    return [words.length, ...words];
  });
  const ask = [
    async () => runScript(connection.client, 'try-rights', couponKeys('', 'plain'), [], args),
    async () => connection.client.eval(scriptSource('try-rights'), 0, ...args),
  ];
  const refused: Wanted[] = [];
  for (const [i, question] of ask.entries()) {
    try {
      const reply = (await question()) as 'unknown' | number[];
      return reply === 'unknown' ? null : [...refused, ...reply.map((number) => wanted[number - 1]!)];
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw connection.explain(error);
      // A call by the hash becomes one in full where the server does not know the script.
      const named = /the '([^']+)' command/.exec(error.message)?.[1];
      refused.push({ command: named?.toUpperCase() ?? CALLS[i]!, key: null });
    }
  }
  return refused;
}
