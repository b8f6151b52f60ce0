import type { ChainableCommander } from 'ioredis';

/**
 * Sends what was gathered and returns the replies.
 *
 * @throws the first error among them; with `maxRetriesPerRequest: 0` a lost link shows there, and not as a rejection
 */
export async function repliesOf(commands: ChainableCommander): Promise<unknown[]> {
  const replies = await commands.exec();
  return (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

/** Null for what is missing, or no number. */
export function toNumber(text: string | number | false | null | undefined): number | null {
  if (text === null || text === undefined || text === false || text === '') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
