import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadPlan, LoadProgress } from '../ports.ts';
import { isOpen, plannedRequests, timeLeftMs, wantedRequests, type Phase } from '../plan/phase.ts';
import { ClosedExecutor } from './closed-executor.ts';
import { COOKIE_COLUMN, CookieJar } from './cookie-jar.ts';
import { needsFollowUps } from './follow-up.ts';
import type { Executor, PhaseHost } from './executor.ts';
import { runAutocannon, type Autocannon } from './autocannon-phase.ts';
import { HardenedClient } from './hardened-client.ts';
import type { AutocannonClient, ClientHost } from './autocannon-client.ts';
import { OpenExecutor } from './open-executor.ts';
import { LoadRecord, recentP99 } from '../record/record.ts';
import { Replies } from './replies.ts';
import { requestWriter } from './request-writer.ts';
import { TargetWatch } from './target-watch.ts';

/** The state that all phases and virtual users of a run share. */
export class LoadRun {
  readonly record: LoadRecord;
  readonly startedAt = new Date();
  readonly replies: Replies;
  /** Connections beyond the first of each virtual user. */
  reconnects = 0;
  readonly target: TargetWatch;
  /** Phases that ended before their time because all users had asked. */
  readonly ranOut: string[] = [];
  /** A threshold has seen enough: what an open model has not come to is not wanted any more. */
  enough = false;
  /** Requests that the phases so far wanted, or made where they want as many as come. */
  planned = 0;
  /** Spent on waiting for the moment of the next arrival, see `open-executor.ts`. */
  spunMs = 0;
  /** How late requests of an open model left although a connection was free: the generator's own lateness, nanoseconds. */
  readonly #lateness = createHistogram();
  readonly #plan: LoadPlan;
  readonly #write: (row: number) => Buffer;
  /** Microsecond 0 of the record, on this process's own clock. */
  readonly zeroMs = performance.now();
  #firstSentUs = Number.NaN;
  #phaseName = '';
  #phaseStartedMs = 0;
  #phaseFrom = 0;
  #executor: Executor | null = null;
  /** Next request of the plan, end of those that the present phase may take, and of those that were planned so far. */
  #cursor = 0;
  #end = 0;

  constructor(plan: LoadPlan, targetLostAfterMs?: number) {
    this.#plan = plan;
    this.record = new LoadRecord(plan.requests, plan.followUps?.poll != null);
    const runId = Math.floor(this.startedAt.getTime()).toString(36);
    // Only where users have a session: to look through the headers of every reply is not free.
    const cookies = plan.users.columns.includes(COOKIE_COLUMN) || (plan.followUps !== undefined && needsFollowUps(plan.followUps));
    const jar = cookies ? new CookieJar(plan.users) : null;
    this.#write = requestWriter(plan, runId, jar);
    this.replies = new Replies(plan, this.record, runId, () => this.#us(performance.now()), jar);
    this.target = new TargetWatch(targetLostAfterMs);
  }

  get seconds(): number {
    const seconds = (this.replies.lastUs - this.#firstSentUs) / 1e6;
    return seconds >= 0 ? seconds : 0;
  }

  /** Null when there was no open model. */
  get startLagMs(): { p50: number; p99: number; max: number } | null {
    if (this.#lateness.count === 0) return null;
    const ms = (ns: number): number => Math.round(ns / 1e4) / 100;
    return { p50: ms(this.#lateness.percentile(50)), p99: ms(this.#lateness.percentile(99)), max: ms(this.#lateness.max) };
  }

  get phaseName(): string {
    return this.#phaseName;
  }

  /** What is due at the moment in an open model, requests per second. */
  get ratePerSecond(): number | null {
    return this.#executor?.ratePerSecond() ?? null;
  }

  progress(): LoadProgress {
    const elapsedMs = performance.now() - this.zeroMs;
    const { phases } = this.#plan;
    const ahead = phases.slice(
      Math.max(
        0,
        phases.findIndex((phase) => phase.name === this.#phaseName),
      ),
    );
    const perSecond = this.#cursor / (elapsedMs / 1_000);
    return {
      phase: this.#phaseName,
      planned: plannedRequests(phases),
      outcomes: this.record.counts(false),
      elapsedMs,
      p99Ms: recentP99(this.record, this.#cursor),
      leftMs: timeLeftMs(ahead, performance.now() - this.#phaseStartedMs, this.#cursor - this.#phaseFrom, perSecond),
    };
  }

  /** Runs one phase until its requests have all ended, or have been given up. */
  async phase(phase: Phase, signal: AbortSignal, autocannon: Autocannon): Promise<void> {
    const wanted = wantedRequests(phase);
    if (signal.aborted || this.target.lost) {
      this.#close(phase, this.#cursor + (wanted ?? 0), this.#cursor);
      return;
    }
    this.#phaseName = phase.name;
    this.#phaseStartedMs = performance.now();
    this.#phaseFrom = this.#cursor;
    this.#end = wanted === null ? this.record.length - this.#reservedAfter(phase) : this.#cursor + wanted;
    const planned = this.#end;
    const clients: HardenedClient[] = [];
    const settled = new AbortController();
    let stopping = false;
    const stop = (): void => {
      if (stopping) return;
      stopping = true;
      executor.stop();
      for (const client of clients) if (!client.busy) client.end('closed');
      // Replies under way get their time; who has none by then is unknown.
      void sleep(this.#plan.gracefulStopMs, undefined, { signal: settled.signal }).then(
        () => clients.forEach((client) => client.end('abandoned')),
        () => undefined,
      );
    };
    const phaseHost = this.#phaseHost(phase, clients, stop);
    const executor: Executor = isOpen(phase) ? new OpenExecutor(phase, phaseHost) : new ClosedExecutor(phase, phaseHost);
    this.#executor = executor;
    const host = this.#clientHost(phase, executor, () => stopping, stop);
    // An open model ends with its last arrival, wherever the clock is.
    const timer = isOpen(phase) ? undefined : setTimeout(stop, phase.maxDurationMs);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const setup = (client: AutocannonClient): void => void clients.push(new HardenedClient(client, host, clients.length));
      const begin = (): void => {
        if (stopping) for (const client of clients) client.end('closed');
        else executor.start();
      };
      // No more users than requests: autocannon takes a client that never sends for one that still runs.
      await runAutocannon(autocannon, this.#plan, Math.max(1, Math.min(phase.vus, planned - this.#cursor)), { setup, begin });
    } finally {
      settled.abort();
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      executor.stop();
      this.spunMs += executor.spunMs;
      this.#executor = null;
    }
    this.#close(phase, planned, this.#phaseFrom);
  }

  /**
   * What a phase wanted and did not come to send stays on the record as unsent, and is not the next one's. Only the arrivals of an open
   * model that a threshold ended are left out: whoever looks for a limit does not want them beyond it.
   */
  #close(phase: Phase, end: number, from: number): void {
    const wanted = wantedRequests(phase);
    this.planned += wanted ?? this.#cursor - from;
    if (wanted !== null && !(this.enough && isOpen(phase))) this.#cursor = end;
  }

  /** The record, without the requests that no phase came to want. */
  close(): LoadRecord {
    this.record.cut(this.#cursor);
    this.target.close(this.record.counts(true).unsent);
    return this.record;
  }

  #reservedAfter(phase: Phase): number {
    const later = this.#plan.phases.slice(this.#plan.phases.indexOf(phase) + 1);
    return later.reduce((sum, one) => sum + (wantedRequests(one) ?? 0), 0);
  }

  #phaseHost(phase: Phase, clients: readonly HardenedClient[], stop: () => void): PhaseHost {
    let hired = 0;
    const countFirst = (): void => {
      this.reconnects -= 1;
    };
    return {
      now: () => performance.now(),
      hire(users) {
        for (; hired < Math.min(users, clients.length); hired += 1) {
          countFirst();
          clients[hired]!.wake();
        }
      },
      late: (ms) => this.#lateness.record(Math.max(1, Math.round(ms * 1e6))),
      connected: () => clients.reduce((sum, client) => sum + Number(client.open), 0),
      nextRow: () => {
        if (this.#cursor >= this.#end) return null;
        this.#cursor += 1;
        return this.#cursor - 1;
      },
      dropped: (row, dueMs) => this.record.dropped(row, this.#us(dueMs)),
      finished: () => {
        const early = phase.executor === 'constant-vus' || phase.executor === 'ramping-vus';
        if (early) this.ranOut.push(phase.name);
        // Shared iterations have all been sent; no user needs to be hurried.
        if (phase.executor === 'shared-iterations') clients.filter((client) => !client.busy).forEach((client) => client.end('closed'));
        else stop();
      },
    };
  }

  #clientHost(phase: Phase, executor: Executor, stopping: () => boolean, stop: () => void): ClientHost {
    const open = isOpen(phase);
    return {
      insecure: this.#plan.tls?.insecure ?? false,
      timeoutMs: this.#plan.request.timeoutMs,
      wanted: () => !stopping() && (open || this.#cursor < this.#end),
      take: (client) => {
        const turn = executor.take(client);
        if (turn === null || turn === 'wait') return turn;
        const { row, dueMs } = turn;
        const bytes = this.#write(row);
        const now = this.#us(performance.now());
        this.record.sent(row, open ? this.#us(dueMs) : now, now);
        if (Number.isNaN(this.#firstSentUs)) this.#firstSentUs = now;
        return { row, bytes };
      },
      replied: (row, status, body, headers) => this.replies.replied(row, status, body, headers),
      givenUp: (row) => this.replies.givenUp(row),
      tooLong: (row, status, headers) => {
        this.target.fault('reply too long');
        this.replies.tooLong(row, status, headers);
      },
      lost: (row, fault) => {
        this.replies.lost(row);
        this.target.fault(fault);
      },
      connected: (ok, fault) => {
        if (ok) {
          this.reconnects += 1;
          this.target.connected();
        } else if (this.target.failed(fault, performance.now())) {
          stop();
        }
      },
    };
  }

  #us(ms: number): number {
    return Math.round((ms - this.zeroMs) * 1_000);
  }
}
