/** What the commands of the local stack print with `--json`. */
import { z } from 'zod';
import type { StoreStatus } from '../../stack/stack.ts';
import { count, text } from './parts.ts';

/** URLs without passwords. */
export const devUpJson = z.object({ dir: text, redisUrl: text, databaseUrl: text });

const stopped = z.object({ stack: text, stopped: z.array(z.enum(['redis', 'postgres'])), purged: z.boolean() });
/** One stack, or with `--all` those there are. */
export const devDownJson = z.union([stopped, z.object({ stacks: z.array(stopped) })]);

/** With the passwords. */
export const devEnvJson = z.object({ REDIS_URL: text, DATABASE_URL: text });

const store = z.object({
  running: z.boolean(),
  url: text.nullable(),
  pid: count.nullable(),
  how: text.nullable(),
  version: text.nullable(),
}) satisfies z.ZodType<StoreStatus>;
const stack = z.object({ dir: text, redis: store, postgres: store });
export const devStatusJson = stack.extend({ others: z.array(stack.extend({ name: text })) });
