import { OUTCOMES } from '../../campaign/outcome.ts';
import { outcomeCode } from '../checks/integrity.ts';
import type { IssueIds, LoadPlan } from '../ports.ts';
import type { LoadRecord } from '../record/record.ts';
import { UnexplainedReplies } from '../report/unexplained.ts';
import { REPLY_LIMIT_BYTES } from '../../lib/net/reply-body.ts';
import type { CaptureRule } from '../scenario/steps.ts';
import { captureFrom, replyOf } from './capture.ts';
import type { CookieJar } from './cookie-jar.ts';
import { classifier, type Classifier } from './classify.ts';
import { FollowUpWriter, needsFollowUps, type FollowUp } from './follow-up.ts';

const ACCEPTED = outcomeCode('accepted');
const UNKNOWN = outcomeCode('unknown');

interface Reply {
  code: number;
  status: number;
  headers: readonly string[];
  body: string;
}

/** Puts every reply on the record, and says which requests go on after it. Times are microseconds of the record. */
export class Replies {
  readonly unexplained = new UnexplainedReplies();
  lastUs = Number.NaN;
  /** Called with the row of every request that has ended with a reply. */
  onReply: ((row: number) => void) | null = null;
  /** The coupon that the reply of a row named. */
  readonly #issued = new Map<number, string>();
  readonly #issueId: CaptureRule | undefined;
  readonly #record: LoadRecord;
  readonly #classify: Classifier;
  readonly #followUps: FollowUpWriter | null;
  readonly #nowUs: () => number;
  readonly #jar: CookieJar | null;
  /** Requests between two of their sendings: what their last reply said. */
  readonly #open = new Map<number, Reply & { us: number }>();

  constructor(plan: LoadPlan, record: LoadRecord, runId: string, nowUs: () => number, jar: CookieJar | null) {
    const { followUps } = plan;
    this.#record = record;
    this.#classify = classifier(plan.outcomes);
    this.#followUps = followUps && needsFollowUps(followUps) ? new FollowUpWriter({ ...plan, followUps }, runId, jar) : null;
    this.#nowUs = nowUs;
    this.#issueId = plan.issueId;
    this.#jar = jar;
  }

  /** Undefined: the plan asks for no names. */
  get issueIds(): IssueIds | undefined {
    if (!this.#issueId) return undefined;
    const row = Uint32Array.from(this.#issued.keys()).toSorted();
    return { row, id: Array.from(row, (one) => this.#issued.get(one)!) };
  }

  /** @returns what the same request sends next; null: it is done */
  replied(row: number, status: number, body: string, headers: readonly string[]): FollowUp | null {
    const reply = { code: this.#classify(status, body, headers), status, headers, body };
    const us = this.#nowUs();
    this.#jar?.keep(this.#record.user[row]!, headers);
    if (this.#followUps) {
      const next = this.#followUps.after({ row, status, headers, body, outcome: OUTCOMES[reply.code]!, nowMs: us / 1_000 });
      this.#record.answered(row, us);
      if (next !== null) {
        this.#open.set(row, { ...reply, us });
        return next;
      }
    }
    this.#decided(row, reply, us);
    return null;
  }

  /** A reply without an end. */
  tooLong(row: number, status: number, headers: readonly string[]): void {
    const body = `a reply of more than ${REPLY_LIMIT_BYTES} bytes, cut off`;
    this.#decided(row, { code: outcomeCode('unexpected'), status, headers, body }, this.#nowUs());
  }

  /** It will not be sent again: its last reply counts. */
  givenUp(row: number): void {
    const { us, ...reply } = this.#open.get(row)!;
    this.#decided(row, reply, us);
  }

  /** Sent, and no reply will come. */
  lost(row: number): void {
    this.#open.delete(row);
    this.#record.lost(row);
    this.lastUs = this.#nowUs();
  }

  #decided(row: number, reply: Reply, us: number): void {
    const { code, status, headers, body } = reply;
    const named = this.#isNamed(row, reply);
    this.#open.delete(row);
    this.lastUs = us;
    // Something was promised, and what is not known.
    this.#record.replied(row, named ? code : UNKNOWN, status, us);
    this.unexplained.add(named ? OUTCOMES[code]! : 'unexpected', status, headers, body);
    this.onReply?.(row);
  }

  /** Which coupon was issued is a part of the acceptance, where the scenario says so. */
  #isNamed(row: number, { code, headers, body }: Reply): boolean {
    if (!this.#issueId || code !== ACCEPTED) return true;
    const id = captureFrom(this.#issueId, replyOf(headers, body));
    if (id !== null) this.#issued.set(row, id);
    return id !== null;
  }
}
