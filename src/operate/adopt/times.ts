import { readZonedTime } from '../../campaign/foreign-time.ts';
import { instantOfWall } from '../../campaign/time.ts';

/** `none`: no time is written. */
export type FoundTime = { kind: 'none' } | { kind: 'time'; at: Date } | { kind: 'unreadable' | 'no_zone' | 'skipped_by_clocks' };

/** A time of another service; one without a zone is meant in `zone`. */
export function readTime(text: string | undefined, zone: string | undefined): FoundTime {
  const time = readZonedTime(text);
  if (time.kind !== 'time') return time;
  const ms = Math.floor(time.us / 1_000);
  if (!time.local) return { kind: 'time', at: new Date(ms) };
  if (zone === undefined) return { kind: 'no_zone' };
  // Zones are told by the second.
  const at = instantOfWall(ms - (ms % 1_000), zone);
  return at === null ? { kind: 'skipped_by_clocks' } : { kind: 'time', at: new Date(at.getTime() + (ms % 1_000)) };
}
