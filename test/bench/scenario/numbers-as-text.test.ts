import { describe, expect, test } from 'vitest';
import type { CouponError } from '../../../src/lib/errors.ts';
import { parseEvent } from '../../../src/campaign/event.ts';
import { parseScenario } from '../../../src/bench/scenario/scenario.ts';

const scenario = (more: string) =>
  parseScenario(`version: 1\nname: x\ncoupons: [{id: c, total: 5}]\nusers: {count: 5}\nphases: [{vus: 1}]\n${more}\n`, 's.yaml');
const problem = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as CouponError).why ?? '';
  }
  return '';
};

/** YAML takes 0042 for 42 and 1e3 for 1000; a parameter of a URL is the text that somebody wrote. */
describe('a parameter of a URL', () => {
  test.each(['0042', '1e3', '0x1F', '0o17', '1.50', '9007199254740993', 'True', '-0', '"0042"', '42'])(
    '%s is sent as it is written',
    (text) => {
      const sent = encodeURIComponent(text.replaceAll('"', ''));
      const { request, setup } = scenario(`request: {path: /x, query: {c: ${text}}}\nsetup: [{path: /y, query: {c: ${text}}}]`);
      expect(request.path).toBe(`/x?c=${sent}`);
      expect(setup).toMatchObject([{ request: { path: `/y?c=${sent}` } }]);
    },
  );
});

describe('a number that would be another one', () => {
  test.each([
    ['of a body', 'request: {json: {id: 0042}}', '0042 would be read as the number 42'],
    ['deep in a body', 'request: {json: {a: [{query: {id: 007}}]}}', '007 would be read as the number 7'],
    ['that is rounded', 'request: {json: {id: 9007199254740993}}', '9007199254740993 would be read as the number 9007199254740992'],
    ['of a step', 'setup: [{path: /y, json: {id: 0042}}]', '0042'],
    ['of a rule', 'outcomes: {accepted: {status: 200, json: {path: code, equals: 0042}}}', '0042'],
    ['of a rule, rounded', 'outcomes: {accepted: {status: 200, json: {path: id, equals: 12345678901234567}}}', '12345678901234568'],
  ])('%s is refused with its place', (_where, text, words) => {
    const why = problem(() => scenario(text));
    expect(why).toContain(words);
    expect(why).toContain('quote it');
    expect(why).toMatch(/s\.yaml:6:\d+/);
  });

  test('a large one that is quoted, and all other numbers, stay as they are', () => {
    expect(scenario('request: {json: {id: "9007199254740993", n: 42, x: 0.5, zero: 0, e: 1e3}}').request.json).toEqual({
      id: '9007199254740993',
      n: 42,
      x: 0.5,
      zero: 0,
      e: 1000,
    });
    expect(parseEvent('coupons: [{id: a, name: A, total: 0100}]', 'e')).toMatchObject([{ total: 100 }]);
  });
});
