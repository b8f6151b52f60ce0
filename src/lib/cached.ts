const FRESH_MS = 1_000;

/**
 * The same question, asked at most once a second however many want to know, and once at a time. A failure is kept as long as an
 * answer: what is down is not asked more often either.
 *
 * @param now milliseconds, monotonic
 */
export function cached<T>(ask: () => Promise<T>, now: () => number): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | null = null;
  return () => {
    if (!last || now() - last.at >= FRESH_MS) {
      const asked = { at: Number.POSITIVE_INFINITY, answer: ask() };
      last = asked;
      // Age counts from the answer, so that what is slow is never asked twice at a time.
      const done = (): void => void (asked.at = now());
      asked.answer.then(done, done);
    }
    return last.answer;
  };
}
