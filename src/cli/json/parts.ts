import { z } from 'zod';
import { OUTCOMES } from '../../campaign/outcome.ts';

export const count = z.number().int().nonnegative();
export const text = z.string();
/** ISO 8601, UTC, milliseconds. */
export const instant = z.iso.datetime({ precision: 3 });
export const wrongType = z.object({ key: text, found: text, expected: text });
export const outcomes = z.object(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count])));
export const done = z.enum(['done', 'finished', 'unchanged', 'planned']);
