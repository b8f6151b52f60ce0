import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latencyFields } from '../../../src/bench/report/figures.ts';
import { outcomeCode } from '../../../src/bench/checks/integrity.ts';
import type { Aggregation } from '../../../src/bench/scenario/thresholds.ts';
import { latenciesOf } from '../../../src/bench/record/histogram.ts';
import { LoadRecord } from '../../../src/bench/record/record.ts';
import { storedLatencies } from '../../../src/bench/record/stored-latencies.ts';

const request = fc.record({
  outcome: fc.constantFrom('accepted' as const, 'sold_out' as const),
  us: fc.integer({ min: 1, max: 90_000_000 }),
});

test('every percentile, mean and greatest value of a report is that of the run', () => {
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 0, max: 1_000_000 }).map((share) => share / 10_000),
      (requests, percentile) => {
        const { length } = requests;
        const column = () => new Uint32Array(length);
        const record = new LoadRecord({ length, user: column(), coupon: new Uint16Array(length), requestId: column() });
        requests.forEach(({ outcome, us }, row) => {
          record.sent(row, 0, 0);
          record.replied(row, outcomeCode(outcome), 200, us);
        });
        const measured = latenciesOf(record);
        const stored = storedLatencies(latencyFields(measured));
        const aggregations: Aggregation[] = [{ kind: 'percentile', percentile }, { kind: 'max' }, { kind: 'avg' }];
        for (const outcome of ['accepted', 'sold_out', 'duplicate', null] as const) {
          for (const aggregation of aggregations) {
            const value = stored.value(outcome, aggregation);
            expect(value, `${outcome} ${aggregation.kind}`).toBe(measured.value(outcome, aggregation));
          }
        }
      },
    ),
  );
});
