import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { readForeignDate, readForeignTime } from '../../src/campaign/foreign-time.ts';
import { NO_TIME, NONE, TIMES } from '../support/foreign-times.ts';

describe('a time that another program wrote', () => {
  test.each(TIMES)('%s', (text, us) => expect(readForeignTime(text)).toEqual({ kind: 'time', us }));
  test.each(NONE)('none: %j', (text) => expect(readForeignTime(text)).toEqual({ kind: 'none' }));
  test.each(NO_TIME)('unreadable: %j', (text) => expect(readForeignTime(text)).toEqual({ kind: 'unreadable' }));

  it('is none where the field is not there', () => {
    expect([readForeignTime(null), readForeignTime(undefined)]).toEqual([{ kind: 'none' }, { kind: 'none' }]);
    expect([readForeignDate('null'), readForeignDate('soon'), readForeignDate('2026-11-25')]).toEqual([
      null,
      'unreadable',
      new Date('2026-11-25T00:00:00Z'),
    ]);
  });

  const instant = fc.integer({ min: Date.UTC(1973, 3), max: Date.UTC(2199, 0) });
  const two = (n: number): string => String(n).padStart(2, '0');

  it('comes back from every form that programs write it in', () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: -14 * 60, max: 14 * 60 }), (ms, offset) => {
        const date = new Date(ms);
        const iso = date.toISOString();
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
        const parts = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()];
        const array = [...parts, date.getUTCSeconds(), date.getUTCMilliseconds() * 1e6];
        const texts = [iso, iso.slice(0, -1), iso.replace('T', ' '), local + zone, local + zone.replace(':', ''), `"${iso}"`];
        texts.push(`[${array.join(',')}]`, String(ms * 1e3), `${ms}000000`);
        // From 2^32 seconds on (the year 2106) a double is half a microsecond apart, and the last digit may round the other way.
        if (ms < 2 ** 32 * 1e3) texts.push(`["java.time.Instant",${(ms / 1e3).toFixed(9)}]`);
        // Fewer digits are seconds.
        if (ms >= 1e11) texts.push(String(ms));
        for (const text of texts) expect([text, readForeignTime(text)]).toEqual([text, { kind: 'time', us: ms * 1e3 }]);
      }),
    );
  });

  it('is never made of a date that no calendar has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1971, max: 9999 }), fc.nat(20), fc.nat(40), (year, month, day) => {
        const date = new Date(Date.UTC(year, month - 1, day));
        const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        const { kind } = readForeignTime(`${year}-${two(month)}-${two(day)}T01:00`);
        expect(kind).toBe(exists ? 'time' : 'unreadable');
      }),
    );
  });
});
