import { describe, expect, test } from 'vitest';
import { parseFields, Renamed } from '../../../src/operate/adopt/fields.ts';
import { readMember } from '../../../src/operate/adopt/member.ts';
import { readTime } from '../../../src/operate/adopt/times.ts';
import { plain, wholeNumber } from '../../../src/lib/text/serialised.ts';

const JDK = String.raw`\xac\xed\x00\x05t\x00\x03kim`;

describe('whom a member stands for', () => {
  test.each([
    ['kim', 'kim', 'string'],
    ['7', '7', 'string'],
    ['"kim"', 'kim', 'json'],
    ['["java.lang.Long",111]', '111', 'typed_json'],
    ['["java.lang.Long","111"]', '111', 'typed_json'],
    ['{"userId":1,"couponId":42}', '1', 'json'],
    ['{"@class":"com.shop.Ask","userId":["java.lang.Long",12345678901234567]}', '12345678901234567', 'json'],
    ['{"userId": 12345678901234567, "note": "12345678901234567"}', '12345678901234567', 'json'],
    ['["com.shop.Ask",{"userId":"lee"}]', 'lee', 'typed_json'],
    // A double has up to 17 digits behind its point.
    ['{"userId":"lee","weight":0.30000000000000004}', 'lee', 'json'],
    ['{"at":1.7959769310000001E9,"userId":12345678901234567}', '12345678901234567', 'json'],
  ])('%s is %s', (member, userId, serializer) => expect(readMember(member, 'userId')).toEqual({ userId, serializer }));

  test.each([
    [JDK, { problem: 'jdk' }],
    ['홍길동', { problem: 'no_user_id' }],
    ['["kim","lee"]', { problem: 'no_user_id' }],
    ['"', { problem: 'no_user_id' }],
    ['', { problem: 'no_user_id' }],
    ['""kim""', { problem: 'no_user_id' }],
    ['{"memberId":5}', { problem: 'no_field', fields: ['memberId'] }],
  ])('%s is nobody', (member, problem) => {
    const read = readMember(member, 'userId');
    expect(read).toEqual(problem);
  });
});

describe('a number', () => {
  test.each([
    ['100', 100],
    ['-5', -5],
    ['"100"', 100],
    ['["java.lang.Long",100]', 100],
    ['100L', 100],
    ['100.0', 100],
  ])('%s is %d', (text, value) => expect(wholeNumber(text)).toBe(value));
  test.each(['', 'many', '1.5', '1e3', '99999999999999999', '0x10', 'null', JDK])('%s is none', (text) =>
    expect(wholeNumber(text)).toBeNull(),
  );
});

test('a value keeps what its serializer did not write', () => {
  expect(plain('"여름 \\"맞이\\""')).toEqual({ text: '여름 "맞이"', serializer: 'json' });
  expect(plain('[2026,11,25]')).toEqual({ text: '[2026,11,25]', serializer: 'string' });
  expect(plain('["java.time.LocalDate",[2026,11,25]]').text).toBe('[2026,11,25]');
  expect(plain('say "hi"').text).toBe('say "hi"');
});

describe('a time', () => {
  const at = (iso: string) => ({ kind: 'time', at: new Date(iso) });
  test.each([
    ['2026-11-25T12:00', at('2026-11-25T03:00:00Z')],
    ['2026-12-31', at('2026-12-30T15:00:00Z')],
    ['[2026,11,25,12,0]', at('2026-11-25T03:00:00Z')],
    ['20261125120000', at('2026-11-25T03:00:00Z')],
    ['["java.time.LocalDateTime","2026-11-25T12:00:00.123456"]', at('2026-11-25T03:00:00.123Z')],
    ['2026-11-25T12:00Z', at('2026-11-25T12:00:00Z')],
    ['2026-11-25T12:00+0900', at('2026-11-25T03:00:00Z')],
    ['2026-11-25T12:00+09:00[Asia/Seoul]', at('2026-11-25T03:00:00Z')],
    ['1795330311082', at('2026-11-22T06:51:51.082Z')],
    ['["java.time.Instant",1795330311.082]', at('2026-11-22T06:51:51.082Z')],
    ['null', { kind: 'none' }],
    ['soon', { kind: 'unreadable' }],
  ])('%s in Seoul', (text, expected) => expect(readTime(text, 'Asia/Seoul')).toEqual(expected));

  test('needs a zone only where it has none', () => {
    const kinds = ['2026-11-25T12:00', '2026-12-31', '[2026,11,25]', '2026-11-25T12:00Z', '1795330311082', ''].map(
      (text) => readTime(text, undefined).kind,
    );
    expect(kinds).toEqual(['no_zone', 'no_zone', 'no_zone', 'time', 'time', 'none']);
    expect(readTime('2026-03-29T02:30', 'Europe/Berlin')).toEqual({ kind: 'skipped_by_clocks' });
  });
});

test('a field is found under its given name, our name or its twin, and what is left is named', () => {
  const hash = new Renamed(
    { _class: 'x', '"stock"': '5', usedAt: 'a', opens: 'b', color: 'red', epoch: 'e' },
    parseFields(['opens_at=opens', 'total=all']),
  );
  expect([hash.raw('stock'), hash.writtenName('stock'), hash.get('used_at'), hash.get('opens_at')]).toEqual(['5', '"stock"', 'a', 'b']);
  expect([hash.raw('total'), hash.isMisnamed('total'), hash.isMisnamed('name')]).toEqual([undefined, true, false]);
  expect(hash.unread()).toEqual(['color']);
});

test.each([['total'], ['=x'], ['totl=x'], ['total=']])('--field %s is refused', (option) =>
  expect(() => parseFields([option])).toThrow(option),
);
