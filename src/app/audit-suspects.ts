import type { FindingCode } from '../core/findings.ts';
import { CHUNK, judgeChunk, readRedis, type AuditPorts, type JudgedUser } from './audit-reads.ts';
import type { AuditTally } from './audit-tally.ts';

/** Time for a step that was half done at the first look, such as `use`, which writes the ledger before Redis. */
const SETTLE_MS = 200;
/** Suspects who settle together, so that a coupon where everything is broken does not wait for each chunk. */
const HELD = 10_000;

/** Users with findings, who are looked at a second time; only what is still there then counts. */
export class Suspects {
  readonly #ports: AuditPorts;
  readonly #couponId: string;
  readonly #tally: AuditTally;
  readonly #held = new Map<string, FindingCode[]>();

  constructor(ports: AuditPorts, couponId: string, tally: AuditTally) {
    this.#ports = ports;
    this.#couponId = couponId;
    this.#tally = tally;
  }

  async add({ user, verdict }: Pick<JudgedUser, 'user' | 'verdict'>): Promise<void> {
    if (verdict.findings.length === 0) return;
    this.#held.set(
      user.userId,
      verdict.findings.map((found) => found.code),
    );
    if (this.#held.size >= HELD) await this.lookAgain();
  }

  async lookAgain(): Promise<void> {
    if (this.#held.size === 0) return;
    await this.#ports.pause(SETTLE_MS);
    const userIds = [...this.#held.keys()];
    for (let from = 0; from < userIds.length; from += CHUNK) {
      const chunk = await readRedis(this.#ports, this.#couponId, userIds.slice(from, from + CHUNK));
      for (const { user, verdict } of await judgeChunk(this.#ports, this.#couponId, chunk)) {
        const before = this.#held.get(user.userId) ?? [];
        for (const found of verdict.findings) {
          if (before.includes(found.code)) this.#tally.user(found.code, user.userId, found.facts);
        }
      }
    }
    this.#held.clear();
  }
}
