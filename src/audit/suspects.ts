import type { AuditPorts } from './ports.ts';
import { chunked } from '../lib/chunked.ts';
import { CHUNK, judgeChunk, readRedis, type JudgedUser } from './reads.ts';
import type { AuditTally } from './tally.ts';

/** Time for a step that was half done at the first look, such as `use`, which writes the ledger before Redis. */
const SETTLE_MS = 200;
/** Suspects who settle together, so that a coupon where everything is broken does not wait for each chunk. */
const MOST_SUSPECTS = 10_000;

/** Called with users as they were at the second look, and with the findings that both looks share. */
export type Confirmed = (users: readonly JudgedUser[]) => Promise<void> | void;

/** Users with findings, who are looked at a second time; only what is still there then counts. */
export class Suspects {
  readonly #ports: AuditPorts;
  readonly #couponId: string;
  readonly #confirmed: Confirmed;
  readonly #held = new Map<string, readonly string[]>();

  constructor(ports: AuditPorts, couponId: string, confirmed: Confirmed) {
    this.#ports = ports;
    this.#couponId = couponId;
    this.#confirmed = confirmed;
  }

  async add({ user, verdict }: Pick<JudgedUser, 'user' | 'verdict'>): Promise<void> {
    if (verdict.findings.length === 0) return;
    // Several walks may meet the same user, each with what can be seen from there.
    const before = this.#held.get(user.userId) ?? [];
    this.#held.set(user.userId, [...before, ...verdict.findings.map((found) => found.code)]);
    if (this.#held.size >= MOST_SUSPECTS) await this.lookAgain();
  }

  async lookAgain(): Promise<void> {
    if (this.#held.size === 0) return;
    await this.#ports.clock.sleep(SETTLE_MS);
    const userIds = [...this.#held.keys()];
    for (const chunk of chunked(userIds, CHUNK)) {
      const judged = await judgeChunk(this.#ports, this.#couponId, await readRedis(this.#ports, this.#couponId, chunk));
      const confirmed = judged.map((one) => this.#atBothLooks(one)).filter((one) => one.verdict.findings.length > 0);
      if (confirmed.length > 0) await this.#confirmed(confirmed);
    }
    this.#held.clear();
  }

  #atBothLooks(judged: JudgedUser): JudgedUser {
    const before = this.#held.get(judged.user.userId) ?? [];
    const findings = judged.verdict.findings.filter((found) => before.includes(found.code));
    return { ...judged, verdict: { ...judged.verdict, findings } };
  }
}

/** Counts them, which is all that an audit does. */
export function counting(tally: AuditTally): Confirmed {
  return (users) => {
    for (const { user, verdict } of users) for (const { code, facts } of verdict.findings) tally.user(code, user.userId, facts);
  };
}
