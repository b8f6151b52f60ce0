/** Texts that other programs write where a time is expected. */
import fc from 'fast-check';

const NOON = Date.UTC(2026, 10, 25, 12) * 1_000;
const DAY = Date.UTC(2026, 10, 25) * 1_000;

export const TIMES: readonly (readonly [text: string, us: number])[] = [
  ['2026-11-25T12:00:00Z', NOON],
  ['2026-11-25T12:00:00.000Z', NOON],
  ['2026-11-25t12:00:00z', NOON],
  ['2026-11-25 12:00:00', NOON],
  ['2026-11-25T12:00', NOON],
  ['2026-11-25 12:00Z', NOON],
  ['2026-11-25T21:00+09:00', NOON],
  ['2026-11-25 12:00:00.5+00', NOON + 500_000],
  ['2026-11-25 21:00:00.000001+09', NOON + 1],
  ['2026-11-25T07:30:00-0430', NOON],
  ['2026-11-25 21:00:00 +0900', NOON],
  ['2026-11-25 12:00:00 UTC', NOON],
  ['2026-11-25T21:00:00+09:00[Asia/Seoul]', NOON],
  ['2026-11-25T12:00:00Z[UTC]', NOON],
  ['2026-11-25T12:00:00.123456789+00:00', NOON + 123_456],
  ['2026-11-25T12:00:00,25', NOON + 250_000],
  ['2026/11/25 12:00:00', NOON],
  ['2026-11-25', DAY],
  ['20261125', DAY],
  ['20261125120000', NOON],
  ['  2026-11-25T12:00:00Z\n', NOON],
  [String(NOON / 1e6), NOON],
  [String(NOON / 1e3), NOON],
  [`${NOON / 1e3}L`, NOON],
  [`${NOON / 1e3}.0`, NOON],
  ['1.795608E12', NOON],
  [String(NOON + 7), NOON + 7],
  [`${NOON + 7}123`, NOON + 7],
  [`${NOON / 1e6}.123000000`, NOON + 123_000],
  ['[2026,11,25]', DAY],
  ['[2026,11,25,12,0]', NOON],
  ['[2026, 11, 25, 12, 0, 1]', NOON + 1_000_000],
  ['[2026,11,25,12,0,1,500000000]', NOON + 1_500_000],
  ['"2026-11-25T12:00:00Z"', NOON],
  ["'2026-11-25'", DAY],
  [String.raw`"\"2026-11-25T12:00\""`, NOON],
  [`"${NOON / 1e3}"`, NOON],
  [`["java.lang.Long",${NOON / 1e3}]`, NOON],
  [`["java.util.Date", ${NOON / 1e3}]`, NOON],
  [`["java.time.Instant",${NOON / 1e6}.123000000]`, NOON + 123_000],
  ['["java.time.LocalDateTime","2026-11-25T12:00"]', NOON],
  ['["java.time.LocalDateTime",[2026,11,25,12,0]]', NOON],
  ['2024-02-29', Date.UTC(2024, 1, 29) * 1_000],
  ['1970-01-01 14:00:01', 50_401_000_000],
  ['9999-12-31T23:59:59.999Z', Date.UTC(9999, 11, 31, 23, 59, 59, 999) * 1_000],
];

/** Texts between bars: one a line would be pages. */
const texts = (...lines: string[]): string[] => lines.join('|').split('|');

export const NONE: readonly string[] = texts(
  String.raw`|  |null|NULL|Null|"null"|'null'|"\"null\""|""|(null)|[null]|\N|None|nil|undefined|NaN|NaT|n/a`,
  'false|False|f|no|0|00|0.0|0L|"0"|["java.lang.Long",0]|["java.lang.Long",null]|[1970,1,1]|1970-01-01T00:00:00Z',
  '1970-01-01 09:00:00|1970-01-01T09:00|[1970,1,1,9,0]|1970-01-01 14:00:00|1969-12-31 19:00:00|1969-12-31T16:00:00-08:00',
  '0000-00-00|0000-00-00 00:00:00|0001-01-01T00:00:00Z|0001-01-01 00:00:00|0001-01-01',
);

export const NO_TIME: readonly string[] = texts(
  'yesterday|22.11.2026 12:00|-|true|t|yes|1|-1|42|99999999|11/25/2026|Wed, 25 Nov 2026 12:00:00 GMT|infinity|1e400',
  '2026-02-30|2026-13-01|2026-00-10|2026-11-00|2023-02-29|2026-11-31T12:00:00Z|2026-11-25T24:00:00Z|2026-11-25T12:60',
  '2026-11-25T12:00:60Z|2026-11-25T12:00:00+19:00|2026-11-25T12:00:00+09:60|2026-11-25T|2026-11-25T12|2026-11-25T12:00:00X',
  '2026-11-25T12:00.5Z|2026-11/25|2026-1-5|26-11-25|12026-11-25|1969-12-31|1969-12-31 09:59:59|1969-12-30 23:00|1969-11-31|1066-10-14|2026-11-25T12:00:00[Asia/Seoul]',
  '[2026]|[2026,11]|[2026,11,25,12]|[2026,13,25]|[2026,2,30]|[2026,11,25,12,0,0,1000000000]|[2026,11,25,12,0,0,0,0]|[2026,,25]',
  '[]|{}|["java.lang.Long"]|["java.lang.Long","x"]|{"used":true}|999999999999999999999|1764072000 s|0x692599c0',
  `2026-11-25T12:00:00Z and more|${'x'.repeat(300)}`,
);

const PIECES = texts(
  String.raw`2026|11|25|12|00|30|31|-|-|/|:|:|T| |.|,|5|123456|Z|+09:00|-0430|[|]|"|'|\|null|L|e5|0|0000`,
  '1764072000|1764072000123|1764072000123456789|["java.lang.Long",|[2026,11,',
);

/** Texts of which many are nearly times. */
export const ODD = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 9 }).map((pieces) => pieces.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 30 }) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...TIMES), fc.nat(40), fc.constantFrom(...PIECES)).map(damaged) },
);

function damaged([[text], at, piece]: [readonly [string, number], number, string]): string {
  const from = at % (text.length + 1);
  return text.slice(0, from) + piece + text.slice(from + 1);
}
