/** What a reader should know before trusting the figures of a run. */
import type { CheckResult } from './checks/integrity.ts';
import type { LoadResult, ProbeResult } from './ports.ts';
import { disruptionNote } from './report/disruptions.ts';
import type { DisruptionEvent, Note } from './report/report.ts';
import type { Settled } from './settle.ts';
import type { CollectedEvidence, EvidenceSource } from './evidence/source.ts';
import { loadNotes } from './load-notes.ts';

export interface NoteSources {
  load: LoadResult;
  disruptions: readonly DisruptionEvent[];
  collected: readonly CollectedEvidence[];
  settled: Settled;
  integrity: readonly CheckResult[];
  probed: ProbeResult;
  remarks: EvidenceSource['remarks'];
}

export function notesOf(sources: NoteSources): Note[] {
  const { load, disruptions, collected, probed, remarks } = sources;
  const used = collected.filter((one) => one.evidence.before.length > 0);
  const unreadable = new Set(collected.flatMap((one) => one.unreadable));
  const said = { LEDGER_UNREADABLE: 'why', REDIS_UNREADABLE: 'redisWhy' } as const;
  const gap = (code: keyof typeof said): Note => {
    const why = collected.map((one) => one[said[code]]).find((one) => one !== undefined);
    return { code, ...(why === undefined ? {} : { facts: { why } }) };
  };
  const notes: (Note | false)[] = [
    ...loadNotes(load),
    notSettled(sources),
    ...[...unreadable].map(gap),
    used.length > 0 && { code: 'COUPON_NOT_FRESH', facts: { users: used.reduce((sum, one) => sum + one.evidence.before.length, 0) } },
    probed.closesConnections && { code: 'CONNECTIONS_CLOSED' },
    ...remarks.map((code): Note => ({ code })),
    ...disruptions.map(disruptionNote),
  ];
  return notes.filter((note) => note !== false);
}

/** How many users are still without a coupon; or that none is, and only the queue is not empty. */
function notSettled({ settled, integrity, collected }: NoteSources): Note | false {
  if (settled.settled) return false;
  const late = integrity.filter(
    ({ check, reason, facts }) => check === 'accepted_are_issued' && reason === 'NOT_SETTLED' && 'accepted' in facts,
  );
  const missing = late.reduce((sum, { count }) => sum + count, 0);
  if (missing > 0) {
    const accepted = late.reduce((sum, { facts }) => sum + facts['accepted']!, 0);
    return { code: 'NOT_SETTLED', facts: { missing, accepted, seconds: Math.round(settled.waitedMs / 100) / 10 } };
  }
  const named = collected.every(({ evidence: { consulted } }) => consulted !== undefined && (consulted.ledger || consulted.hashes));
  const served = named && settled.missing === 0 && settled.accepted > 0;
  return served && settled.waiting > 0 ? { code: 'QUEUE_NEVER_SHRINKS', facts: { waiting: settled.waiting } } : { code: 'NOT_SETTLED' };
}
