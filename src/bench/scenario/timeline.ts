import { z } from 'zod';
import { parseDuration } from '../../lib/duration.ts';
import { parsed } from '../../campaign/event.ts';

/**
 * What a game day does to the service under load. Processes are killed (SIGKILL) and started again; stores are ended as a
 * crash would end them and started again on their data.
 */
export const DISRUPTIONS = ['kill-drain', 'kill-serve', 'restart-redis', 'restart-postgres'] as const;

export type Disruption = (typeof DISRUPTIONS)[number];

/** `atMs` counts from the start of the load. */
export interface TimelineEntry {
  atMs: number;
  action: Disruption;
}

const LATEST = '24h';

export const timelineSchema = z
  .array(
    z.strictObject({
      at: parsed(parseDuration).refine((ms) => ms <= parseDuration(LATEST), `must be at most ${LATEST}`),
      action: z.enum(DISRUPTIONS),
    }),
  )
  .max(100)
  .default([]);

/** In order of time; entries of the same time stay as they were written. */
export function timelineOf(read: z.output<typeof timelineSchema>): TimelineEntry[] {
  return read.map(({ at, action }) => ({ atMs: at, action })).toSorted((a, b) => a.atMs - b.atMs);
}
