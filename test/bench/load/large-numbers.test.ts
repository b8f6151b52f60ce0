import { describe, expect, test } from 'vitest';
import { outcomeCode } from '../../../src/bench/checks/integrity.ts';
import { captureFrom, replyOf } from '../../../src/bench/load/capture.ts';
import { classifier } from '../../../src/bench/load/classify.ts';

/** Ids of Twitter's kind have 17 to 19 digits: as doubles, neighbours become one. */
describe('a number of a reply that a double would round', () => {
  test.each(['9007199254740993', '1234567890123456789', '-9007199254740995', '17', '1.5'])('%s is taken with all its digits', (digits) => {
    const reply = replyOf([], `{"order":{"id":${digits},"at":1790000000000000}}`);
    expect(captureFrom({ json: 'order.id' }, reply)).toBe(digits);
    expect(captureFrom({ json: 'order.at' }, reply)).toBe('1790000000000000');
  });

  test('is compared with the text that a rule has', () => {
    const classify = classifier([
      { outcome: 'accepted', status: 200, json: { path: 'batch', equals: '9007199254740993' } },
      { outcome: 'sold_out', status: 200, json: { path: 'batch', equals: 17 } },
    ]);
    const of = (body: string): number => classify(200, body);
    expect(['{"batch":9007199254740993}', '{"batch":9007199254740992}', '{"batch":17}'].map(of)).toEqual(
      ['accepted', 'unexpected', 'sold_out'].map((outcome) => outcomeCode(outcome as 'accepted')),
    );
  });
});
