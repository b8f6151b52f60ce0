import { formatInstant } from '../../campaign/time.ts';
import { formatDuration } from '../../lib/duration.ts';
import { cut } from './fitted-table.ts';
import { number, plural } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { printable } from '../../lib/text/visible.ts';
import { couponTable, perSecondText, workerTable } from './columns.ts';
import { ofStates } from '../inspect/order.ts';
import type { LiveStore, LiveView } from './live-view.ts';

export interface FrameOptions {
  /** Cells of a line. */
  width: number;
  /** Lines of the screen; null: as many as it takes. */
  height: number | null;
  /** Coupons that are scrolled past. */
  offset: number;
  /** Empty: all. */
  states: readonly string[];
  /** IANA name of the zone of the time on top. */
  zone: string;
  /** What the keys are, on a screen. */
  keys?: string;
}

export interface Frame {
  /** None is wider than the screen, and there are no more than fit. */
  lines: string[];
  /** The offset that it shows: no further than the last page. */
  offset: number;
  /** Coupons on one page. */
  page: number;
}

/** Of what needs a line each, as many as a small screen can spare. */
const MOST_WORKERS = 4;
const MOST_WARNINGS = 5;
/** Coupons that stay on a small screen before workers and warnings do. */
const LEAST_COUPONS = 3;

/** A view as the lines of a terminal. Coupons get what is left of the height, at least one line. */
export function frameOf(view: LiveView, options: FrameOptions, paint: Paint): Frame {
  const { width, height, states } = options;
  const coupons = ofStates(view.coupons, states);
  const most = (lines: number): number => (height === null ? Number.POSITIVE_INFINITY : lines);
  const top = [titleOf(view, options, paint), ...storeLines(view, options, paint), ''];
  const bottom = [
    ...section(workerLines(view, width, paint), most(MOST_WORKERS + 1)),
    ...section(warningLines(view, options, paint), most(MOST_WARNINGS)),
  ];
  // The head of the table and, on a screen, the last line are always there.
  const body = height === null ? Number.POSITIVE_INFINITY : height - top.length - 2;
  const rest = fits(bottom, body - Math.min(LEAST_COUPONS, coupons.length));
  const page = Math.max(1, body - rest.length);
  const offset = Math.max(0, Math.min(options.offset, coupons.length - page));
  const shown = coupons.slice(offset, offset + page);
  const table = couponTable(shown, width, paint);
  const lines = [...top, ...(shown.length === 0 ? [cut(emptyText(view, states), width)] : [table.head, ...table.lines]), ...rest];
  if (height === null) return { lines, offset, page };
  const filled = Array.from({ length: height - 1 }, (_, i) => lines[i] ?? '');
  return { lines: [...filled, footer(coupons.length, offset, shown.length, options, paint)], offset, page };
}

function titleOf(view: LiveView, { width, zone }: FrameOptions, paint: Paint): string {
  const { coupons, waiting, acceptedPerSecond, issuedPerSecond } = view.totals;
  const time = formatInstant(new Date(view.at), zone);
  const parts = [plural(coupons, 'coupon'), `${number(waiting)} waiting`];
  if (acceptedPerSecond !== null) parts.push(`${perSecondText(acceptedPerSecond)} accepted/s`);
  if (issuedPerSecond !== null) parts.push(`${perSecondText(issuedPerSecond)} issued/s`);
  const text = parts.join(', ');
  // Where both do not fit the time is said without its date, then not at all.
  const short = time.slice(time.indexOf(' ') + 1);
  const shown = [time, short].find((one) => text.length + 2 + one.length <= width);
  if (shown === undefined) return paint.bold(cut(text, width));
  return `${paint.bold(text)}${' '.repeat(width - text.length - shown.length)}${paint.dim(shown)}`;
}

function storeLines({ stores }: LiveView, { width }: FrameOptions, paint: Paint): string[] {
  const line = (name: string, { up, problem, silentMs }: LiveStore): string[] => {
    if (up) return [];
    const since = silentMs === null ? '' : `, its figures are of ${formatDuration(silentMs)} ago`;
    return [paint.red(cut(`${name} is away${since}: ${printable(problem ?? '', 200)}`, width))];
  };
  return [...line('Redis', stores.redis), ...line('PostgreSQL', stores.ledger)];
}

function workerLines({ workers }: LiveView, width: number, paint: Paint): string[] {
  if (workers.length === 0) return [];
  const { head, lines } = workerTable(workers, width);
  return [paint.bold(head), ...lines];
}

function warningLines({ warnings }: LiveView, { width, height }: FrameOptions, paint: Paint): string[] {
  return warnings.map(({ couponId, text, fix }) => {
    const line = `${couponId === null ? '' : `${printable(couponId)}: `}${printable(text, 250)}. ${fix}`;
    // Off a screen nothing needs to be short.
    return paint.yellow(height === null ? `! ${line}` : cut(`! ${line}`, width));
  });
}

/** An empty line and the section; what is beyond the limit is counted. */
function section(lines: readonly string[], most: number): string[] {
  if (lines.length === 0) return [];
  if (lines.length <= most) return ['', ...lines];
  return ['', ...lines.slice(0, most - 1), `… and ${number(lines.length - most + 1)} more`];
}

/** No half of a section without its rows: lines that do not fit are left out from the end. */
function fits(lines: readonly string[], room: number): string[] {
  const kept = lines.slice(0, Math.max(0, room));
  while (kept.length > 0 && kept.at(-1) === '') kept.pop();
  return kept;
}

function footer(all: number, offset: number, shown: number, { width, keys = '' }: FrameOptions, paint: Paint): string {
  const more = all > shown ? `coupons ${offset + 1}–${offset + shown} of ${number(all)}; ` : '';
  return paint.dim(cut(`${more}${more === '' ? keys : `${keys}, ↑↓ scroll`}`, width));
}

function emptyText({ coupons }: LiveView, states: readonly string[]): string {
  if (coupons.length > 0) return `no coupon is ${states.join(' or ')}; there are ${plural(coupons.length, 'coupon')} in all`;
  return 'no coupons yet; `coupon-cli seed ID --name TEXT --stock N` makes one';
}
