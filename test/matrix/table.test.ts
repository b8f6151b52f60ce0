import { expect, it } from 'vitest';
import { newest } from './npm.ts';
import { withRows, type Row } from './table.ts';
import { VERSIONS } from './versions.ts';

const row = (label: string, result: string): Row => ({ label, on: 'Redis 8.0.2', passed: 3, result, problems: [] });

it('a row takes its place in the table, and the rows of other versions stay', () => {
  const labels = ['Redis 7.0', 'Redis 8', 'Node 24'];
  const empty = 'Before\n\n<!-- matrix:begin -->\n<!-- matrix:end -->\n\nAfter';
  const first = withRows(empty, labels, [row('Node 24', 'passed'), row('Redis 7.0', 'passed')]);
  const second = withRows(first, labels, [row('Redis 8', 'passed'), row('Node 24', '**failed**: 1')]);
  expect(second.split('\n').filter((line) => /^\| (Redis|Node)/.test(line))).toEqual([
    '| Redis 7.0 | Redis 8.0.2 | 3 | passed |',
    '| Redis 8 | Redis 8.0.2 | 3 | passed |',
    '| Node 24 | Redis 8.0.2 | 3 | **failed**: 1 |',
  ]);
  expect(second).toMatch(/^Before\n\n<!-- matrix:begin -->[^]*<!-- matrix:end -->\n\nAfter$/);
});

it('the newest version is that of the highest number, pre-releases included', () => {
  expect(newest(['13.9.0-beta.7', '13.23.0-beta.15', '13.23.0-beta.16', '14.1.0'], '13.')).toBe('13.23.0-beta.16');
  expect(newest(['1.13.0'], '13.')).toBeNull();
});

it('every version is known by what a server or Node calls itself', () => {
  const names = ['Redis 7.0.15', 'Redis 8.0.2', 'Valkey 8.1.1', 'PostgreSQL 13.23', 'PostgreSQL 18.4', 'Node 20.20.2', 'Node 24.1.0'];
  expect(names.map((name) => VERSIONS.filter(({ is }) => is.test(name)).map(({ id }) => id))).toEqual([
    ['redis-7.0'],
    ['redis-8'],
    ['valkey-8'],
    ['postgres-13'],
    ['postgres-18'],
    ['node-20'],
    ['node-24'],
  ]);
});
