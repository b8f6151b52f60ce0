import type { Claim } from '../campaign/coupon.ts';
import type { IssueLedger, IssueOptions, IssueResult } from './ports.ts';

/** Rows of one statement that is made of several batches. Larger ones gain nothing, and their refused rows take longer to find. */
const MOST_ROWS = 1_000;
/** Statements that are made of one batch after one was refused: the search for the refused row would spoil every statement it shares. */
const APART = 32;

interface Batch {
  claims: readonly Claim[];
  options: IssueOptions;
  /** When it came; monotonic milliseconds. */
  sinceMs: number;
  resolve: (result: IssueResult | Promise<IssueResult>) => void;
  reject: (error: unknown) => void;
}

/**
 * The ledger for the batches of one coupon, one statement at a time: its lock on the coupon would keep them one after the other anyway, each
 * with a disk to wait for. Batches that come while one is issued go in together with the next statement. Where that is anything but `ok`,
 * each of them is issued alone, so that what is wrong with one is not said of the others. A batch that waits for its turn longer
 * than `patienceMs` is `ended`, and can be claimed again: what is left of its lease may not be enough.
 */
export function issueTogether(ledger: IssueLedger, couponId: string, patienceMs: number): IssueLedger {
  const waiting: Batch[] = [];
  let busy = false;
  let apart = 0;

  /** Begins a statement. `over` comes as soon as the next one may be sent, and says whether this one was `ok`. */
  const begin = (claims: readonly Claim[], options: IssueOptions): { result: Promise<IssueResult>; over: Promise<boolean> } => {
    let issued = (): void => undefined;
    const answered = new Promise<boolean>((resolve) => (issued = () => resolve(true)));
    const result = (async () => await ledger.issue(couponId, claims, { ...options, issued }))();
    const ended = result.then(
      ({ status }) => status === 'ok',
      () => false,
    );
    return { result, over: Promise.race([answered, ended]) };
  };

  const givenBack = ({ sinceMs, resolve }: Batch): boolean => {
    const late = performance.now() - sinceMs > patienceMs;
    if (late) resolve({ status: 'ended' });
    return late;
  };

  const alone = async ({ claims, options, resolve }: Batch): Promise<void> => {
    const { result, over } = begin(claims, options);
    resolve(result);
    if (!(await over)) apart = APART;
    else if (apart > 0) apart -= 1;
  };

  /** Whether each of them has its answer: they were issued, or met an outage together. */
  const together = async (batches: readonly Batch[]): Promise<boolean> => {
    const all = batches.flatMap(({ claims }) => claims);
    const { result, over } = begin(all, batches[0]!.options);
    if (await over) {
      for (const batch of batches) batch.resolve(result.then((ended) => partOf(ended, batch)));
      return true;
    }
    try {
      await result;
      return false;
    } catch (error) {
      for (const { reject } of batches) reject(error);
      return true;
    }
  };

  const issueAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batches = waiting.splice(0, apart > 0 ? 1 : fitting(waiting)).filter((batch) => !givenBack(batch));
      if (batches.length > 1 && (await together(batches))) continue;
      for (const batch of batches) if (!givenBack(batch)) await alone(batch);
    }
    busy = false;
  };

  return {
    issue: (_couponId, claims, options) =>
      new Promise((resolve, reject) => {
        waiting.push({ claims, options, sinceMs: performance.now(), resolve, reject });
        if (busy) return;
        busy = true;
        void issueAll();
      }),
  };
}

/** Of an answer to several batches that of one. */
function partOf(ended: IssueResult, { claims }: Batch): IssueResult {
  if (ended.status !== 'ok') return ended;
  const users = new Set(claims.map(({ userId }) => userId));
  return { status: 'ok', rows: ended.rows.filter(({ userId }) => users.has(userId)) };
}

/** How many of them, from the first on, go into one statement: at least one. */
function fitting(batches: readonly Batch[]): number {
  const { epoch, worker, timeoutMs } = batches[0]!.options;
  let rows = 0;
  const count = batches.findIndex(({ claims, options }, index) => {
    rows += claims.length;
    const alike = options.epoch === epoch && options.worker === worker && options.timeoutMs === timeoutMs;
    return index > 0 && (rows > MOST_ROWS || !alike);
  });
  return count < 0 ? batches.length : count;
}
