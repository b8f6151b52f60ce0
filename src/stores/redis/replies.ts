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
