import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeAgain } from '../../../src/bench/verify.ts';
import { nameRuns, namesOf } from '../../../src/bench/record/name-runs.ts';
import { pack, unpack } from '../../../src/bench/record/pack.ts';
import { decodeRun, encodeRun } from '../../../src/bench/record/kept-record.ts';
import { benchRun } from '../../support/bench-report.ts';

const packed = (value: unknown): Uint8Array => Buffer.concat([...pack(value)]);

const column = fc.oneof(fc.uint8Array(), fc.uint16Array(), fc.uint32Array(), fc.float64Array());
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 3 }, column, fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('any')), tie('object')),
  object: fc.dictionary(
    fc.string({ unit: 'grapheme-ascii' }).filter((key) => key !== 'column' && key !== '__proto__'),
    tie('any'),
    { noNullPrototype: true },
  ),
})).any;

describe('packing', () => {
  test('gives back what went in, bit by bit', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(unpack(packed(one))).toEqual(one);
      }),
    );
  });

  test('refuses bytes that are cut short or go on', () => {
    const whole = packed({ list: Uint32Array.of(1, 2, 3), name: 'x' });
    for (let end = 0; end < whole.length; end += 1) expect(() => unpack(whole.subarray(0, end))).toThrow(Error);
    expect(() => unpack(Buffer.concat([whole, Buffer.of(0)]))).toThrow('too many');
  });
});

test('names of users come back, numbered or not', () => {
  const id = fc.oneof(
    fc.string(),
    fc.integer({ min: 0, max: 30 }).map((number) => `user-${number}`),
    fc.constantFrom('user-007', 'user-008', '0', '1', '2', '3', '4', '99999999999999999999'),
  );
  const rising = fc
    .tuple(fc.string(), fc.nat(2_000), fc.nat(30))
    .map(([prefix, start, count]) => Array.from({ length: count }, (_, at) => `${prefix}${start + at}`));
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.array(id), rising)), (lists) => {
      const ids = lists.flat();
      const users = namesOf(7, nameRuns({ size: ids.length, planned: 7, id: (user) => ids[user]! }));
      expect(Array.from({ length: users.size }, (_, user) => users.id(user))).toEqual(ids);
      expect([users.planned, users.id(ids.length)]).toEqual([7, '?']);
    }),
  );
  expect(nameRuns({ size: 1_000_000, planned: 0, id: (user) => `user-${user + 1}` })).toEqual([
    { prefix: 'user-', start: 1, count: 1_000_000 },
  ]);
});

describe('a kept run', () => {
  test.each([
    ['proven', benchRun()],
    ['broken', benchRun({ lost: 3 })],
  ])('%s: read again, it is judged as it was', async (_, run) => {
    const read = await decodeRun(await encodeRun(run), 'record.bin');
    expect(read.record).toEqual(run.record);
    expect(read.evidence).toEqual(run.evidence);
    expect(judgeAgain(read)).toEqual(run.report);
  });

  test('with a lost coupon is broken, and the users are named', async () => {
    const report = judgeAgain(await decodeRun(await encodeRun(benchRun({ lost: 3 })), 'record.bin'));
    expect(report.exitCode).toBe(4);
    expect(report.integrity.find((result) => result.status === 'fail')).toMatchObject({
      check: 'accepted_are_issued',
      count: 3,
      sample: ['user-0', 'user-1', 'user-2'],
    });
  });

  test('any byte changed, or any end cut off, is refused', async () => {
    const whole = await encodeRun(benchRun({ users: 50, total: 10 }));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(whole);
        changed[at] = changed[at]! ^ change;
        await expect(decodeRun(changed, 'record.bin')).rejects.toMatchObject({ code: 'BAD_RECORD', kind: 'usage' });
        await expect(decodeRun(whole.subarray(0, at), 'record.bin')).rejects.toMatchObject({ code: 'BAD_RECORD' });
      }),
    );
  });

  test.each([
    ['text', Buffer.from('{"schemaVersion": 1}'), 'is not a record of bench'],
    ['nothing', Buffer.alloc(0), 'is not a record of bench'],
    ['a later version', Buffer.concat([Buffer.from('coupon-cli bench'), Buffer.from([9, 0]), Buffer.alloc(40)]), 'record format 9'],
  ])('%s instead of a record is named', async (_, bytes, message) => {
    await expect(decodeRun(bytes, 'some.file')).rejects.toThrow(message);
  });
});
