import { formatDuration } from '../../lib/duration.ts';
import { fittedTable } from './fitted-table.ts';
import { number } from '../../lib/text/figures.ts';
import { sparkline } from '../../lib/text/sparkline.ts';
import type { Paint } from '../../lib/text/style.ts';
import { printable } from '../../lib/text/visible.ts';
import type { LiveCoupon } from './live-view.ts';
import type { LiveWorker } from './workers.ts';

const NONE = '–';
/** A name is longer than this only where there is room. */
const SPARK = { from: 8, most: 30 };

/** The lines of coupons, with as many columns as fit. */
export function couponTable(coupons: readonly LiveCoupon[], width: number, paint: Paint): { head: string; lines: string[] } {
  const figure = (value: number | null): string => (value === null ? NONE : number(value));
  const { head, lines } = fittedTable<LiveCoupon>(
    coupons,
    [
      { head: 'COUPON', value: ({ couponId }) => couponId, priority: 10, least: 8 },
      { head: 'NAME', value: ({ name }) => printable(name), priority: 2, least: 10 },
      { head: 'STATE', value: ({ state }) => stateText(state), priority: 9, least: 6 },
      { head: 'STOCK', value: ({ stock }) => figure(stock), align: 'right', priority: 8 },
      { head: 'WAITING', value: ({ waiting }) => figure(waiting), align: 'right', priority: 9 },
      { head: 'HELD', value: ({ claimed }) => figure(claimed), align: 'right', priority: 1 },
      { head: 'OLDEST', value: oldestText, align: 'right', priority: 7 },
      { head: 'ACC/S', value: ({ acceptedPerSecond }) => perSecondText(acceptedPerSecond), align: 'right', priority: 6 },
      { head: '', value: ({ history }, cells) => sparkOf(history.accepted, cells), priority: 4, grows: SPARK },
      { head: 'ISS/S', value: ({ issuedPerSecond }) => perSecondText(issuedPerSecond), align: 'right', priority: 5 },
      { head: '', value: ({ history }, cells) => sparkOf(history.issued, cells), priority: 3, grows: SPARK },
      { head: 'LEFT', value: leftText, align: 'right', priority: 0 },
    ],
    width,
  );
  return { head: paint.bold(head), lines: lines.map((line, i) => painted(line, coupons[i]!, paint)) };
}

export function workerTable(workers: readonly LiveWorker[], width: number): { head: string; lines: string[] } {
  return fittedTable<LiveWorker>(
    workers,
    [
      { head: 'WORKER', value: ({ worker }) => printable(worker || 'without a name'), priority: 5, least: 8 },
      { head: 'HOLDS', value: holdsText, align: 'right', priority: 4 },
      { head: 'LEASE', value: leaseText, align: 'right', priority: 3 },
      {
        head: 'ISSUED',
        value: ({ lastIssuedMs }) => (lastIssuedMs === null ? NONE : `${formatDuration(rounded(lastIssuedMs))} ago`),
        align: 'right',
        priority: 2,
      },
      { head: 'COUPONS', value: ({ coupons }) => (coupons.length === 0 ? NONE : coupons.join(' ')), priority: 1, least: 8 },
    ],
    width,
  );
}

/** `1,204` or `0.4`; a dash where there is no rate yet. */
export function perSecondText(rate: number | null): string {
  if (rate === null) return NONE;
  return rate === 0 || rate >= 10 ? number(Math.round(rate)) : String(rate);
}

export function stateText(state: string): string {
  return state.replaceAll('_', ' ');
}

export function oldestText({ oldestWaitingMs, waiting }: LiveCoupon): string {
  if (oldestWaitingMs !== null) return formatDuration(rounded(oldestWaitingMs));
  return (waiting ?? 0) > 0 ? '?' : NONE;
}

function leftText({ timeLeftMs }: LiveCoupon): string {
  return timeLeftMs === null ? 'never' : timeLeftMs === 0 ? NONE : formatDuration(rounded(timeLeftMs));
}

function holdsText({ users, claims }: LiveWorker): string {
  return users === 0 ? NONE : claims === 1 ? number(users) : `${number(users)} in ${claims} claims`;
}

function leaseText({ leaseLeftMs }: LiveWorker): string {
  if (leaseLeftMs === null) return NONE;
  return leaseLeftMs < 0 ? `over for ${formatDuration(rounded(-leaseLeftMs))}` : formatDuration(rounded(leaseLeftMs));
}

/** Whole seconds: milliseconds that change in every frame tell nothing. */
function rounded(ms: number): number {
  return ms < 1_000 ? Math.round(ms / 100) * 100 : Math.floor(ms / 1_000) * 1_000;
}

function sparkOf(values: readonly (number | null)[], cells: number): string {
  return Number.isFinite(cells) ? sparkline(values, cells) : '';
}

const BAD = new Set(['suspect', 'missing_in_redis', 'missing_in_ledger', 'wrong_type', 'server_away', 'seeding', 'resetting']);
const STILL = new Set(['ended', 'closed', 'scheduled']);

function painted(line: string, { state }: LiveCoupon, paint: Paint): string {
  if (BAD.has(state)) return paint.red(line);
  if (state === 'paused') return paint.yellow(line);
  return STILL.has(state) ? paint.dim(line) : line;
}
