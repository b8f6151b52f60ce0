import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvReader } from '../../../src/lib/csv.ts';
import { parseScenario } from '../../../src/bench/scenario/scenario.ts';
import { readUserTable } from '../../../src/bench/plan/user-file.ts';
import { UserDirectory } from '../../../src/bench/plan/user-plan.ts';
import { UserTable } from '../../../src/bench/plan/user-table.ts';

function rows(...pieces: string[]): string[][] {
  const found: string[][] = [];
  const reader = new CsvReader((cells) => found.push(cells));
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return found;
}

const cell = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '"', ',', '\n', ' '), maxLength: 8 });

describe('CSV', () => {
  test.each([
    [
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\n\nc,',
      [
        ['a', 'b'],
        ['c', ''],
      ],
    ],
    ['"a,""b""\n",c', [['a,"b"\n', 'c']]],
    ['', []],
  ])('%j', (text, expected) => expect(rows(text)).toEqual(expected));

  test('what was quoted comes back, wherever the text is cut into pieces', () => {
    const tables = fc.array(fc.array(cell, { minLength: 2, maxLength: 3 }), { maxLength: 5 });
    fc.assert(
      fc.property(tables, fc.nat({ max: 60 }), (table, cut) => {
        const text = table.map((row) => `${row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')}\n`).join('');
        expect(rows(text.slice(0, cut), text.slice(cut))).toEqual(table);
      }),
    );
  });

  test('quotes that never end, and rows without end, are refused with their line', () => {
    expect(() => rows('a\n"b\nc')).toThrow('line 2');
    expect(() => rows(`a\n${'x'.repeat(70_000)}`)).toThrow('line 2 has more than');
  });
});

describe('a table of users', () => {
  test('gives every cell back, finds every user again, and nobody else', () => {
    const users = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 200 });
    fc.assert(
      fc.property(users, (ids) => {
        const table = new UserTable(['token', 'id'], 'id');
        for (const id of ids) expect(table.add([`t-${id}`, id])).toBe(true);
        expect(table.length).toBe(ids.length);
        for (const [row, id] of ids.entries()) {
          expect([table.id(row), table.value(row, 0), table.rowOf(id)]).toEqual([id, `t-${id}`, row]);
          expect(table.add(['other', id])).toBe(false);
        }
        expect(table.rowOf('\u0000nobody')).toBe(-1);
      }),
      { numRuns: 50 },
    );
  });

  test('is a directory of users: numbers, names, and strangers behind them', () => {
    const table = readUserTable(['\uFEFFid,token\nann,A\nbob,B\n'], { userId: 'id', columns: ['token'], inHeaders: [] });
    const users = new UserDirectory({ count: 2, prefix: '', start: 0, table });
    expect([users.id(1), users.numberOf('bob'), users.value(1, users.columns.indexOf('token'))]).toEqual(['bob', 1, 'B']);
    expect([users.numberOf('eve'), users.id(2)]).toEqual([2, 'eve']);
  });

  test.each([
    ['a column that is not there', 'ID,token\n', 'it has no column "id"; did you mean "ID"?'],
    ['a row that is too short', 'id,token\na\n', 'line 2 has 1 cells, the first has 2'],
    ['somebody twice', 'id,token\na,1\nb,2\na,3\n', 'line 4: user "a" is there twice'],
    ['nobody', String.raw`id,token${'\n'}a,1${'\n'}\N,2${'\n'}`, String.raw`line 3: "\N" names no user`],
    ['nobody in words', 'id,token\nNULL,1\n', 'line 2: "NULL" names no user'],
    ['a name that is no user id', 'id,token\n"a b",1\n', 'line 2: "a b" is not a user id'],
    ['a cell that breaks out of its header', 'id,token\na,"x\nX-Evil: 1"\n', 'line 2: token goes into a header'],
    ['nobody', 'id,token\n', 'there are no users in it'],
  ])('%s is refused', (_, text, message) => {
    expect(() => readUserTable([text], { userId: 'id', columns: ['token'], inHeaders: ['token'] })).toThrow(message);
  });
});

describe('a scenario with users from a file', () => {
  const scenario = (users: string, request = '{}'): string =>
    `{ version: 1, name: s, coupons: [{ id: a, total: 1 }], request: ${request}, users: ${users}, phases: [{ vus: 1 }] }`;
  const open = (): Iterable<string> => ['id,token\nann,A\nbob,B\n'];

  test('has as many users as the file, and its columns as variables', () => {
    const { users } = parseScenario(scenario('{ file: u.csv, userId: id }', '{ headers: { Authorization: "Bearer {{token}}" } }'), 'f', {
      open,
    });
    expect(users).toMatchObject({ count: 2 });
    expect(users.table?.columns).toEqual(['id', 'token']);
  });

  test.each([
    ['{ file: u.csv }', '{}', 'userId: is missing'],
    ['{ file: u.csv, userId: id, prefix: x }', '{}', 'prefix: goes not together with file'],
    ['{ file: u.csv, userId: id, count: 3 }', '{}', 'is more than the 2 users of u.csv'],
    ['{ file: u.csv, userId: id }', '{ path: "/{{tokn}}" }', 'it has no column "tokn"; did you mean "token"?'],
    ['{ count: 1, userId: id }', '{}', 'userId: names a column of `file`, which is missing'],
  ])('%s %s is refused', (users, request, message) => {
    expect(() => parseScenario(scenario(users, request), 'f', { open })).toThrow(
      expect.objectContaining({ code: 'BAD_SCENARIO', why: expect.stringContaining(message) }),
    );
  });

  test('a file that cannot be read is named', () => {
    const missing = (): Iterable<string> => {
      throw Object.assign(new Error('no'), { code: 'ENOENT' });
    };
    expect(() => parseScenario(scenario('{ file: u.csv, userId: id }'), 'f', { open: missing })).toThrow(
      expect.objectContaining({ why: expect.stringContaining('u.csv cannot be read (ENOENT)') }),
    );
  });
});

describe('values from the environment', () => {
  const text = (value: string): string =>
    `version: 1\nname: s\ntarget: ${value}\ncoupons: [{ id: a, total: 1 }]\nusers: { count: 1 }\nphases: [{ vus: 1 }]\n`;

  test('stand where the scenario names them; escaped they stay', () => {
    const source = `${text('http://${HOST}:${PORT}')}description: 'costs $\${PRICE}'\n`;
    const { target, description } = parseScenario(source, 'f', { variables: { HOST: 'h', PORT: '81' } });
    expect([target, description]).toEqual(['http://h:81', 'costs ${PRICE}']);
  });

  test('cannot change the shape of the file', () => {
    const { description } = parseScenario(`${text('http://h')}description: \${X}\n`, 'f', { variables: { X: '"}\nvus: 9' } });
    expect(description).toBe('"}\nvus: 9');
  });

  test.each([
    ['http://${HOST}', 'f:3:9 the environment variable HOST is not set'],
    ['http://${}', 'f:3:9 "${}" is not the name of a variable'],
    ['http://${HO', 'f:3:9 "${HO" is not the name of a variable'],
  ])('%s is a problem with its place', (value, problem) => {
    expect(() => parseScenario(text(value), 'f', { variables: { HOST: '' } })).toThrow(
      expect.objectContaining({ code: 'BAD_SCENARIO', why: expect.stringContaining(problem) }),
    );
  });
});
