/**
 * Plans that are kept: each statement is prepared on an empty table, or with statistics that lie, and must read the rows that it is
 * about and no others, whatever the planner believes.
 */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statement, type StatementName } from '../../../src/stores/postgres/statements.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: Plan[];
}

/** Index and the columns that its condition must name. */
interface Expected {
  index: string;
  columns: string[];
}
const KEY: Expected = { index: 'issued_coupons_pkey', columns: ['coupon_id', 'user_id'] };
const EPOCH = '00000000-0000-4000-8000-000000000001';
const USERS = Array.from({ length: 100 }, (_, i) => `user-${i}`);

const BATCH = [
  '42',
  EPOCH,
  'w',
  USERS.join('\n'),
  USERS.map((_, i) => 1.7e15 + i).join(','),
  USERS.map(() => 1).join(','),
  USERS.map(() => 1).join(','),
  1,
];

/** Every statement that looks for rows of issued_coupons, but for counts of all rows of a coupon, with values. */
const STATEMENTS: [StatementName, unknown[], Expected | null][] = [
  // Its conflicts are found by the constraint's own index; nothing is scanned.
  ['issue', BATCH, null],
  ['issue-first', BATCH, null],
  ['find-issued', ['42', USERS], KEY],
  ['page-issued', ['42', 'user-1', 1_000], KEY],
  ['page-briefs', ['42', 'user-1', 1_000], KEY],
  ['issued-since', ['42', new Date()], { index: 'issued_coupons_pace', columns: ['issued_at'] }],
  ['recent-workers', [new Date()], { index: 'issued_coupons_pace', columns: ['issued_at'] }],
  ['use-issued', ['42', 'user-1', 'use', 'plain'], KEY],
  ['explain-use', ['42', 'user-1'], KEY],
  ['record-use', ['42', 'user-1', new Date()], KEY],
  ['record-revocation', ['42', 'user-1', new Date()], KEY],
  ['revoke-issued', ['42', 'user-1', 'reason', true], KEY],
  ['rename-issued', ['42', 'user-1', 'forgotten-1'], KEY],
  ['delete-issued', ['42', EPOCH, 'user-1', 'user-2'], KEY],
];

describe('the plan of a statement', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const fill = async (couponId: string, count: number): Promise<void> => {
    await stores.seed({ id: couponId, total: 1_000_000 });
    await stores.sql(
      `INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
       SELECT '${couponId}', 'user-' || n, now(), n, 'w', 1, 1 FROM generate_series(1, ${count}) n`,
    );
  };
  const situations: [string, () => Promise<void>][] = [
    ['an empty table that was never analyzed', async () => void (await stores.sql('TRUNCATE coupons, issued_coupons'))],
    [
      'an empty table that was analyzed',
      async () => {
        await stores.sql('ANALYZE issued_coupons');
      },
    ],
    [
      'statistics that know another coupon alone',
      async () => {
        await fill('other', 20_000);
        await stores.sql('ANALYZE issued_coupons');
        await fill('42', 20_000);
      },
    ],
    [
      'statistics of a table ten times smaller',
      async () => {
        await fill('42', 2_000);
        await stores.sql('ANALYZE issued_coupons');
        await stores.sql(
          `INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
           SELECT '42', 'user-' || n, now(), n, 'w', 1, 1 FROM generate_series(2001, 20000) n`,
        );
      },
    ],
  ];

  const literal = (value: unknown): string => {
    if (value instanceof Date) return `'${value.toISOString()}'`;
    if (Array.isArray(value)) return `'{${value.map((one) => `"${String(one)}"`).join(',')}}'`;
    return typeof value === 'number' ? String(value) : pg.escapeLiteral(String(value));
  };

  /** What is wrong with the scans of issued_coupons in a plan. */
  async function faults(text: string, values: readonly unknown[], expected: Expected | null, mode: string): Promise<string[]> {
    const explained = await stores.database.transaction(async (client) => {
      await client.query(`SET LOCAL plan_cache_mode = ${mode}`);
      await client.query(`PREPARE tried AS ${text}`);
      const explain = await client.query(`EXPLAIN (FORMAT JSON, COSTS off) EXECUTE tried (${values.map(literal).join(', ')})`);
      await client.query('DEALLOCATE tried');
      return explain.rows[0] as { 'QUERY PLAN': [{ Plan: Plan }] };
    });
    const [{ Plan }] = explained['QUERY PLAN'];
    const found: string[] = [];
    let seen = false;
    const look = (node: Plan): void => {
      const scan = node['Node Type'];
      const ours = node['Relation Name'] === 'issued_coupons' || (node['Index Name'] ?? '').startsWith('issued_coupons');
      if (ours && scan.includes('Scan') && scan !== 'Bitmap Heap Scan') {
        seen = true;
        const missing = (expected?.columns ?? []).filter((column) => !(node['Index Cond'] ?? '').includes(column));
        if (!expected || node['Index Name'] !== expected.index || missing.length > 0)
          found.push(`${scan} ${node['Index Name'] ?? ''} ${node['Index Cond'] ?? ''}`);
      }
      node.Plans?.forEach(look);
    };
    look(Plan);
    if (expected && !seen) found.push('no scan at all');
    return found;
  }

  const MODES = ['force_generic_plan', 'force_custom_plan', 'auto'];

  describe.each(situations)('with %s', (_name, arrange) => {
    it('uses the intended index for each statement, with generic and with custom plans', async () => {
      await arrange();
      const wrong: string[] = [];
      for (const mode of MODES)
        for (const [name, values, expected] of STATEMENTS)
          for (const fault of await faults(statement(name).text, values, expected, mode)) wrong.push(`${name} (${mode}): ${fault}`);
      expect(wrong).toEqual([]);
    });
  });

  it('is shown to be wrong where a list of users is compared as an array and another index begins with the coupon', async () => {
    const bad = 'SELECT * FROM issued_coupons WHERE coupon_id = $1 AND user_id = ANY ($2::text[])';
    await stores.sql('CREATE INDEX issued_coupons_planted ON issued_coupons (coupon_id, issued_at)');
    try {
      const found: string[] = [];
      for (const [, arrange] of situations) {
        await stores.clear();
        await arrange();
        for (const mode of MODES) found.push(...(await faults(bad, ['42', USERS], KEY, mode)));
      }
      expect(found.join()).toContain('issued_coupons_planted');
    } finally {
      await stores.sql('DROP INDEX issued_coupons_planted');
    }
  });
});
