/** The files that other load tools write, as rows of named cells. */
import { CsvReader, otherSeparator } from '../../lib/csv.ts';
import { isNoUtf8 } from '../../lib/text/utf8.ts';
import { parseExactJson } from '../../lib/text/exact-json.ts';
import { usageError } from '../../lib/errors.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import { printable } from '../../lib/text/visible.ts';

/** Cells of one request by name; nested fields of JSON are joined by dots. */
export type Cells = (name: string) => string | null;

/**
 * What a request of another tool is known by. All but `status` and `outcome`, of which one must be there, may be missing; `issue` is the
 * name of the coupon in an accepted reply.
 */
export const FIELDS = ['user', 'coupon', 'sent', 'done', 'elapsed', 'status', 'outcome', 'body', 'request', 'issue'] as const;
export type Field = (typeof FIELDS)[number];
export type Mapping = Partial<Record<Field, string>>;

export interface Format {
  name: string;
  /** Where each field stands; `--map` goes before it. */
  mapping: Mapping;
  /** Rows that are no request (other metrics, for example). */
  skip?: (cells: Cells) => boolean;
}

/** k6 stamps a sample when the request has ended. */
const K6_CSV: Format = {
  name: 'k6 (csv)',
  mapping: { user: 'user', coupon: 'coupon', done: 'timestamp', elapsed: 'metric_value', status: 'status' },
  skip: (cells) => cells('metric_name') !== 'http_req_duration',
};
const K6_JSON: Format = {
  name: 'k6 (json)',
  mapping: { user: 'data.tags.user', coupon: 'data.tags.coupon', done: 'data.time', elapsed: 'data.value', status: 'data.tags.status' },
  skip: (cells) => cells('metric') !== 'http_req_duration' || cells('type') !== 'Point',
};
/** The stamp of JMeter is the start, in milliseconds; users and coupons come by `sample_variables`. */
const JMETER: Format = {
  name: 'JMeter (JTL)',
  mapping: { user: 'userId', coupon: 'couponId', sent: 'timeStamp', elapsed: 'elapsed', status: 'responseCode' },
};
const PLAIN_NAMES: Record<Field, string[]> = {
  user: ['user', 'user_id', 'userId', 'userid', 'member_id', 'memberId'],
  coupon: ['coupon', 'coupon_id', 'couponId'],
  sent: ['sent', 'sent_at', 'start', 'started_at', 'timestamp', 'time'],
  done: ['done', 'done_at', 'answered', 'answered_at', 'end', 'ended_at'],
  elapsed: ['elapsed', 'duration', 'latency', 'response_time', 'elapsed_ms', 'duration_ms'],
  status: ['status', 'status_code', 'code', 'response_code'],
  outcome: ['outcome', 'result'],
  body: ['body', 'response', 'response_body'],
  request: ['request', 'request_id', 'requestId', 'idempotency_key'],
  issue: ['issue', 'issue_id', 'issueId'],
};

/** Which tool wrote it, by the names of its columns. */
export function formatOf(names: readonly string[], json: boolean): Format {
  const has = (...wanted: string[]): boolean => wanted.every((name) => names.includes(name));
  if (json && has('metric', 'type')) return K6_JSON;
  if (!json && has('metric_name', 'metric_value')) return K6_CSV;
  if (!json && has('timeStamp', 'elapsed', 'responseCode')) return JMETER;
  const mapping: Mapping = {};
  for (const field of FIELDS) {
    const name = PLAIN_NAMES[field].find((one) => names.includes(one));
    if (name !== undefined) mapping[field] = name;
  }
  return { name: json ? 'NDJSON' : 'CSV', mapping };
}

/**
 * Reads a file chunk by chunk.
 *
 * @param each called for each row, with the line that it stands on
 * @throws Error whose message names the line
 */
export async function readRows(
  chunks: AsyncIterable<string>,
  begin: (names: readonly string[], json: boolean) => void,
  each: (cells: Cells, line: number) => void,
): Promise<void> {
  let reader: { push(text: string): void; end(): void } | null = null;
  for await (const chunk of chunks) {
    const text: string = reader === null ? chunk.replace(/^\uFEFF/, '') : chunk;
    if (reader === null && text.trim() === '') continue;
    if (reader === null && isNoUtf8(text.split('\n', 1)[0]!)) throw new Error('it is not UTF-8');
    if (reader === null && /^\s*</.test(text))
      throw new Error('it is XML; have JMeter write CSV (jmeter.save.saveservice.output_format=csv)');
    if (reader === null && /^\s*\[/.test(text)) throw new Error('it is one JSON array; write one object a line (NDJSON)');
    reader ??= /^\s*\{/.test(text) ? jsonLines(begin, each) : csvRows(begin, each);
    reader.push(text);
  }
  if (reader === null) throw new Error('it is empty');
  reader.end();
}

function csvRows(begin: (names: readonly string[], json: boolean) => void, each: (cells: Cells, line: number) => void): CsvReader {
  let places: Map<string, number> | null = null;
  // k6 puts tags of one's own into one cell: `user=kim&coupon=c1`.
  let tags: number | undefined;
  return new CsvReader((row, line) => {
    if (places === null) {
      const other = otherSeparator(row);
      if (other !== null) throw new Error(other);
      places = new Map(row.map((name, index) => [name.trim(), index]));
      tags = places.get('extra_tags');
      begin([...places.keys()], false);
      return;
    }
    const known = places;
    each((name) => {
      const place = known.get(name);
      if (place !== undefined) return row[place] || null;
      return tags === undefined ? null : (new URLSearchParams(row[tags] ?? '').get(name) ?? null);
    }, line);
  });
}

function jsonLines(begin: (names: readonly string[], json: boolean) => void, each: (cells: Cells, line: number) => void) {
  let rest = '';
  let line = 0;
  let begun = false;
  const take = (text: string): void => {
    line += 1;
    if (text.trim() === '') return;
    let object: unknown;
    try {
      object = parseExactJson(text);
    } catch {
      throw new Error(`line ${line} is no JSON`);
    }
    if (typeof object !== 'object' || object === null) throw new Error(`line ${line} is no JSON object`);
    if (!begun) begin(Object.keys(object), true);
    begun = true;
    each((name) => cellOf(object, name), line);
  };
  return {
    push(text: string): void {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      lines.forEach(take);
    },
    end: () => take(rest),
  };
}

function cellOf(object: unknown, name: string): string | null {
  let value: unknown = object;
  for (const step of name.split('.'))
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** `user=data.tags.user` → where the user stands. @throws CouponError `BAD_IMPORT` */
export function parseMapping(texts: readonly string[]): Mapping {
  const mapping: Mapping = {};
  for (const pair of texts.flatMap((text) => text.split(','))) {
    const [, field = '', name = ''] = /^([^=]+)=(.+)$/.exec(pair.trim()) ?? [];
    if (!(FIELDS as readonly string[]).includes(field))
      throw badImport(
        `--map: "${printable(pair, 60)}" maps no field${suggestion(field, FIELDS)}`,
        `Write FIELD=COLUMN with one of ${FIELDS.join(', ')}.`,
      );
    mapping[field as Field] = name;
  }
  return mapping;
}

export function badImport(message: string, fix = 'See `coupon-cli bench verify --help` for the files that it takes.') {
  return usageError('BAD_IMPORT', message, fix);
}
