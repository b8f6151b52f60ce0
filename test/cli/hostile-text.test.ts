import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, cli, type CliResult } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const EVIL = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eevil\u2066\u200b\ufeff\u2028\nforged: audit ok\r\u007f';
/** What PostgreSQL takes as text, and a name that a sh would obey. */
const USER = `a;touch$IFS/tmp/x;#\`id\`'"|<>$(id)${EVIL}`;
// oxlint-disable-next-line no-control-regex
const PAINTED = /\u001b\[(?:1|2|22|31|32|33|39)m/g;
const RAW = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

function expectSafe({ stdout, stderr }: CliResult, coloured: boolean): void {
  for (const text of [stdout, stderr]) {
    const plain = (coloured ? text.replaceAll(PAINTED, '') : text).replaceAll(/[\n\t]/g, ''); // tabs are between columns
    expect(RAW.exec(plain)?.[0]).toBeUndefined();
    expect(text).not.toMatch(/^forged/m);
  }
}

describe('text that other programs wrote', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
    const { redis } = stores;
    await stores.seed({ id: 'evil', name: 'Evil', total: 100 });
    await stores.seed({ id: 'calm', name: 'Calm', total: 100 });
    await stores.sql('UPDATE coupons SET name = $1 WHERE id = $2', [EVIL, 'evil']);
    for (const name of ['a', 'b'])
      await stores.sql(
        `INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
         VALUES ('evil', $1, now(), 1, $2, 1, 1)`,
        [`${USER}${name}`, EVIL],
      );
    await redis.hset('coupon:evil', 'name', EVIL, 'suspect', EVIL, 'state', EVIL, 'opens_at', EVIL);
    await redis.zadd('coupon_waiting_queue:evil', 1, USER, 2, `${USER}2`, 3, 'plain;touch$IFS/tmp/x');
    await redis.hset('coupon_dead:evil', USER, EVIL, 'plain', EVIL);
    await redis.hset('coupon_claims:evil', 'plain', `1:${EVIL}:1:1:1:1`, USER, EVIL);
    await redis.hset('coupon_admitted:evil', 'plain', `1:${EVIL}`, USER, `2:${EVIL}`);
    await redis.hset('issued_coupon:coupon:evil-user:plain', 'userId', EVIL, EVIL, EVIL);
    await redis.zadd(`coupon_waiting_queue:${EVIL}`, 1, 'user');
    await redis.sadd('coupon_index', EVIL, 'evil');
    await redis.hset(`coupon:${EVIL}`, 'name', EVIL, 'epoch', EVIL, 'state', EVIL);
    await redis.hset('coupon:theirs', 'name', EVIL, 'epoch', EVIL, 'state', EVIL);
    await redis.sadd('coupon_index', 'theirs');
    await stores.sql(`CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
      IF new.user_id LIKE 'banned%' THEN RAISE EXCEPTION USING ERRCODE = '23514', MESSAGE = '${EVIL}'; END IF; RETURN new; END $f$`);
    await stores.sql('CREATE TRIGGER veto BEFORE INSERT ON issued_coupons FOR EACH ROW EXECUTE FUNCTION veto()');
    await stores.sql(`CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
      RAISE EXCEPTION USING ERRCODE = '42P17', MESSAGE = '${EVIL}'; END $f$`);
    await stores.sql(`CREATE TRIGGER no BEFORE INSERT ON coupons FOR EACH ROW WHEN (new.id = 'refused') EXECUTE FUNCTION no()`);
    await stores.admission.admit('calm', [{ userId: 'banned;id', requestId: 'r' }]);
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  const event = `coupons:\n  - {id: x, name: "\\e[2J\\u202e", total: 1}\n  - {id: y, "\\e\\nforged": 1, name: A, total: 1}\n`;
  it.each([
    [['inspect']],
    [['inspect', '--limit', '1']],
    [['inspect', 'coupon', 'evil']],
    [['inspect', 'queue', 'evil']],
    [['inspect', 'queue', 'evil', '--limit', '1']],
    [['inspect', 'issued', 'evil', '--limit', '1']],
    [['inspect', 'user', 'evil', 'plain']],
    [['inspect', EVIL]],
    [['dead', 'list', 'evil']],
    [['dead', 'list', 'evil', '--limit', '1']],
    [['dead', 'retry', 'evil', '--all']],
    [['dead', 'drop', 'evil', USER]],
    [['audit']],
    [['audit', '--scan']],
    [['audit', 'evil', '--repair', '--dry-run']],
    [['drain', '--once', '--scan']],
    [['drain', '--once', '--scan', '--key-style', 'hash-tag']],
    [['use', 'calm', 'x;id']],
    [['use', 'evil', EVIL]],
    [['seed', 'refused', '--name', 'x', '--stock', '1']],
    [['seed', 'theirs', '--name', 'x', '--stock', '1']],
    [['seed', 'evil', '--name', 'Evil', '--stock', '100', '--dry-run']],
    [['seed', 'x', '--name', EVIL, '--stock', '1']],
    [['seed', '--file', '-']],
    [['submit', 'evil', '--users', '1']],
    [['config', EVIL]],
    [[EVIL]],
    [['bench', 'compare', EVIL, EVIL]],
    [['bench', 'verify', EVIL]],
    [['bench', EVIL]],
    [['migrate', '--dry-run']],
  ])('reaches no terminal raw: %j', async (argv) => {
    for (const [flags, options] of [
      [[], {}],
      [['--debug'], {}],
      // A spinner moves the cursor itself.
      [[], { tty: true, columns: 80, vars: { CI: '1' } }],
      [['--json'], {}],
    ] as const) {
      const result = await cli([...at(stores), ...flags, ...argv], { ...options, stdin: event });
      expectSafe(result, 'tty' in options);
      expect(result.stdout + result.stderr).not.toBe('');
    }
  });

  it('is exact in JSON all the same', async () => {
    const list = await cli([...at(stores), '--json', 'inspect', 'coupon', 'evil']);
    expect(list.json()).toMatchObject({ name: EVIL });
    const issued = await cli([...at(stores), '--json', 'inspect', 'issued', 'evil']);
    expect(issued.json<{ issued: { userId: string }[] }>().issued.map((row) => row.userId)).toEqual([`${USER}a`, `${USER}b`]);
  });
});
