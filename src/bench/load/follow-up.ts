import type { Outcome } from '../../campaign/outcome.ts';
import type { LoadPlan } from '../ports.ts';
import { headerOf } from '../report/unexplained.ts';
import type { FollowUps, PollPlan } from '../scenario/follow-ups.ts';
import { captureFrom, replyOf } from './capture.ts';
import type { CookieJar } from './cookie-jar.ts';
import { compiled, rowValues, type Elsewhere } from './request-writer.ts';

/** What a request sends after a reply that did not decide. */
export interface FollowUp {
  bytes: Buffer;
  /** Milliseconds until it leaves. */
  afterMs: number;
}

export interface RowReply {
  row: number;
  status: number;
  /** Names and values in turn. */
  headers: readonly string[];
  body: string;
  outcome: Outcome;
  nowMs: number;
}

/** How far a request has come that got a reply and is not done. */
interface Progress {
  redirects: number;
  retries: number;
  elsewhere: Elsewhere | undefined;
  poll: { bytes: Buffer; untilMs: number } | null;
}

/** Longer waits than a minute would outlast most loads. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** Decides after each reply whether its request is done: redirects, polling, and asking again when the service is busy. */
export class FollowUpWriter {
  readonly #plan: FollowUps;
  readonly #target: string;
  readonly #progress = new Map<number, Progress>();
  readonly #values: (row: number) => string[];
  readonly #first: (values: readonly string[], elsewhere?: Elsewhere) => Buffer;
  readonly #poll: ((values: readonly string[]) => Buffer) | null;

  constructor(plan: LoadPlan & { followUps: FollowUps }, runId: string, jar: CookieJar | null) {
    const { followUps, request, target } = plan;
    const { names, of } = rowValues({ ...plan, request: { ...request, json: [request.json, followUps.poll?.request] } }, runId, jar);
    this.#plan = followUps;
    this.#target = target;
    this.#values = of;
    this.#first = compiled(request, target, names);
    this.#poll = followUps.poll && compiled(followUps.poll.request, target, [...names, ...Object.keys(followUps.poll.capture)]);
  }

  /** Null: the reply decides. */
  after(reply: RowReply): FollowUp | null {
    const known = this.#progress.get(reply.row);
    const progress = known ?? { redirects: 0, retries: 0, elsewhere: undefined, poll: null };
    const next = this.#redirected(reply, progress) ?? this.#polled(reply, progress) ?? this.#retried(reply, progress);
    if (next === null) this.#progress.delete(reply.row);
    else if (!known) this.#progress.set(reply.row, progress);
    return next;
  }

  #redirected({ row, status, headers }: RowReply, progress: Progress): FollowUp | null {
    if (progress.redirects >= this.#plan.redirects || ![301, 302, 303, 307, 308].includes(status)) return null;
    const location = headerOf(headers, 'location');
    const base = `${this.#target}/`;
    if (location === null || !URL.canParse(location, base)) return null;
    const { origin, pathname, search } = new URL(location, base);
    if (origin !== new URL(base).origin) return null;
    progress.redirects += 1;
    progress.elsewhere = { path: `${pathname}${search}`, asGet: progress.elsewhere?.asGet === true || status < 304 };
    return { bytes: this.#first(this.#values(row), progress.elsewhere), afterMs: 0 };
  }

  #polled(reply: RowReply, progress: Progress): FollowUp | null {
    const { poll } = this.#plan;
    if (poll === null || this.#poll === null || reply.outcome !== 'queued') return null;
    progress.poll ??= this.#firstPoll(poll, reply);
    if (progress.poll === null || reply.nowMs + poll.everyMs > progress.poll.untilMs) return null;
    return { bytes: progress.poll.bytes, afterMs: poll.everyMs };
  }

  #firstPoll(poll: PollPlan, { row, headers, body, nowMs }: RowReply): Progress['poll'] {
    const found = Object.values(poll.capture).map((rule) => captureFrom(rule, replyOf(headers, body)));
    // Without the value there is nothing to ask for.
    if (found.includes(null)) return null;
    return { bytes: this.#poll!([...this.#values(row), ...found.map(String)]), untilMs: nowMs + poll.timeoutMs };
  }

  #retried({ row, outcome, headers }: RowReply, progress: Progress): FollowUp | null {
    const { retry } = this.#plan;
    if (retry === null || progress.retries >= retry.times || !(retry.on as readonly Outcome[]).includes(outcome)) return null;
    progress.retries += 1;
    const said = retry.retryAfter ? retryAfterMs(headerOf(headers, 'retry-after')) : null;
    const bytes = progress.poll?.bytes ?? this.#first(this.#values(row), progress.elsewhere);
    return { bytes, afterMs: said ?? retry.delayMs };
  }
}

/** Seconds or a date (RFC 9110 §10.2.3); null: neither. */
export function retryAfterMs(value: string | null, now = Date.now()): number | null {
  if (value === null) return null;
  const ms = /^\d+$/.test(value.trim()) ? 1_000 * Number(value) : Date.parse(value) - now;
  return Number.isNaN(ms) ? null : Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms));
}

export function needsFollowUps({ redirects, retry, poll }: FollowUps): boolean {
  return redirects > 0 || retry !== null || poll !== null;
}
