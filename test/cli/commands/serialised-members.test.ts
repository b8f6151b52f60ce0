import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditReport } from '../../../src/audit/audit.ts';
import type { DeadAnswer, DeadList } from '../../../src/operate/dead.ts';
import { SERIALISED } from '../../../src/campaign/ids.ts';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const jdk = (text: string) => Buffer.from([0xac, 0xed, 0, 5, 0x74, 0, text.length, ...Buffer.from(text)]);

/** Members as serializers of other services write them, with the text that stands for each and why it is dead-lettered. */
const MEMBERS: [name: string, member: Buffer, text: string, reason: string][] = [
  ['a JSON string', Buffer.from('"kim"'), '"kim"', 'looks_serialised'],
  ['a typed JSON list', Buffer.from('["java.lang.Long",111]'), '["java.lang.Long",111]', 'looks_serialised'],
  ['a JSON object', Buffer.from('{"userId":1,"couponId":42}'), '{"userId":1,"couponId":42}', 'looks_serialised'],
  ['a JDK string', jdk('kim'), '\\xac\\xed\\x00\\x05t\\x00\\x03kim', 'looks_serialised'],
  ['another JDK string', jdk('le"e'), '\\xac\\xed\\x00\\x05t\\x00\\x04le"e', 'looks_serialised'],
  ['a name in Korean', Buffer.from('홍길동'), '홍길동', 'invalid_user_id'],
  ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0xfe]), 'a\\xff\\xfe', 'invalid_user_id'],
  ['an escape written out', Buffer.from('a\\xff\\xfe'), 'a\\x5cxff\\x5cxfe', 'invalid_user_id'],
  ['a line with a control character', Buffer.from('a\u001b[2Jb'), 'a\\x1b[2Jb', 'invalid_user_id'],
  ['nothing', Buffer.alloc(0), '', 'invalid_user_id'],
];

describe('members that are no user ids', () => {
  let stores: TestStores;
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    stores = await openStores({ durable: false });
    endpoint = await openEndpoint(stores);
  });
  afterAll(async () => {
    await endpoint[Symbol.asyncDispose]();
    await stores[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '3', total: 20 });
  });

  const run = async (...argv: string[]): Promise<CliResult> => cli([...argv, ...at(stores)]);
  const queue = async (...members: Buffer[]) => {
    for (const [i, member] of members.entries()) {
      await stores.redis.zadd('coupon_waiting_queue:3', Date.now() + i, member);
      await stores.redis.hincrby('coupon:3', 'stock', -1);
    }
  };
  const stock = async () => Number(await stores.redis.hget('coupon:3', 'stock'));
  const audited = async () => (await run('audit', '--json')).json<AuditReport>();

  test.each(MEMBERS)('%s is dead-lettered, listed, and its stock comes back when it is dropped', async (_name, member, text, reason) => {
    await queue(member, Buffer.from('lee'));
    // Before the drain the stock is right, and a repair leaves it so.
    expect(await audited()).toMatchObject({ ok: true, coupons: [{ adoptable: 2 }], notes: [{ code: 'no_user_id', sample: [text] }] });
    expect((await run('audit', '--repair')).exitCode).toBe(0);
    expect(await stock()).toBe(18);

    const drained = await run('drain', '--until-empty');
    expect(drained.exitCode).toBe(0);
    expect(drained.stderr).toContain(`dead-lettered, ${reason === 'looks_serialised' ? SERIALISED : 'not a user id'}`);
    expect((await stores.sql('SELECT user_id FROM issued_coupons')).map((row) => row['user_id'])).toEqual(['lee']);
    expect(await audited()).toMatchObject({ ok: true, coupons: [{ dead: 1 }] });

    expect((await run('dead', 'list', '3', '--json')).json<DeadList>()).toMatchObject({ total: 1, dead: [{ userId: text, reason }] });
    expect((await run('dead', 'list', '3')).stdout).toContain(text);
    expect((await run('dead', 'retry', '3', text)).exitCode).toBe(2);
    const dropped = await run('dead', 'drop', '3', text, '--json');
    expect(dropped.json<DeadAnswer<string>>()).toMatchObject({ done: 1, users: [{ userId: text, outcome: 'ok' }] });
    expect(await stock()).toBe(19);
    expect(await audited()).toMatchObject({ ok: true, coupons: [{ dead: 0 }] });
  });

  test('all of them go with dead drop --all, and a page of the list goes on after any of them', async () => {
    await queue(...MEMBERS.map(([, member]) => member));
    await run('drain', '--until-empty');
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; more = after !== null) {
      const flags: string[] = after === null ? [] : ['--after', after];
      const page = (await run('dead', 'list', '3', '--limit', '3', '--json', ...flags)).json<DeadList>();
      seen.push(...page.dead.map((line) => line.userId));
      after = page.next;
    }
    expect(seen.toSorted()).toEqual(MEMBERS.map(([, , text]) => text).toSorted());
    expect((await run('dead', 'drop', '3', '--all', '--confirm=3', '--json')).json<DeadAnswer<string>>().done).toBe(MEMBERS.length);
    expect(await stock()).toBe(20);
    expect((await audited()).ok).toBe(true);
  });

  test('one person gets one coupon, however another service writes the id', async () => {
    await queue(Buffer.from('"kim"'), jdk('kim'));
    expect((await endpoint.ask('3', 'kim')).status).toBe(202);
    await run('drain', '--until-empty');
    expect((await stores.sql('SELECT user_id FROM issued_coupons')).map((row) => row['user_id'])).toEqual(['kim']);
  });

  test('such ids are refused over HTTP and on the command line, with the reason', async () => {
    for (const userId of ['"kim"', '["java.lang.Long",111]', '{"userId":1}', '\\xac\\xed\\x00\\x05t\\x00\\x03kim']) {
      const reply = await endpoint.ask('3', userId);
      expect(reply, userId).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(reply.body['detail']).toContain('looks serialised');
      expect((await endpoint.get(`/coupons/3/requests/${encodeURIComponent(userId)}`)).status).toBe(400);
      for (const argv of [
        ['submit', '3', '--user', userId],
        ['use', '3', userId],
        ['inspect', 'user', '3', userId],
      ]) {
        const result = await run(...argv);
        expect(result.exitCode, argv.join(' ')).toBe(2);
        expect(result.stderr).toContain('looks serialised');
      }
    }
  });

  test('a row of such an id from before the rule is left in peace', async () => {
    await stores.admission.admit('3', [{ userId: '"old"', requestId: 'r' }]);
    const { epoch } = (await stores.ledger.coupon('3'))!;
    const now = Date.now() * 1_000;
    const claim = { userId: '"old"', score: now, fence: 1, deliveries: 1 };
    const issued = await stores.ledger.issue('3', [claim], { epoch, worker: 'w', timeoutMs: 5_000 });
    await stores.redis.hset('coupon:3', 'fence', 1);
    if (issued.status === 'ok') await stores.claims.ack('3', epoch, issued.rows);
    expect((await audited()).findings.map((one) => one.code)).toEqual(['request_time_mismatch']);
    await stores.redis.hdel('coupon_admitted:3', '"old"');
    expect((await run('audit', '--repair')).exitCode).toBe(0);
    expect((await stores.sql('SELECT user_id FROM issued_coupons')).map((row) => row['user_id'])).toEqual(['"old"']);
  });

  test('keys that a serializer spelled, and companions of Spring Data, are named once and stop nothing', async () => {
    await stores.admission.admit('3', [{ userId: 'u7', requestId: 'r' }]);
    await run('drain', '--until-empty');
    const issued = 'issued_coupon:coupon:3-user:u7';
    await stores.redis.sadd(`${issued}:idx`, 'issued_coupon:userId:u7');
    await stores.redis.copy(issued, `${issued}:phantom`);
    await stores.redis.sadd('issued_coupon', 'coupon:3-user:u7');
    await stores.redis.sadd('issued_coupon:userId:u7', 'coupon:3-user:u7');
    await stores.redis.hset('issued_coupon:coupon-3-user-u7', 'a', 'b');
    await stores.redis.zadd(jdk('coupon_waiting_queue:3'), 1, 'x');
    await stores.redis.zadd('"coupon_waiting_queue:3"', 1, 'x');
    await stores.redis.set('shop:coupon:banner', 'theirs');

    for (const argv of [
      ['audit', '--scan', '--json'],
      ['audit', '--scan', '--repair', '--json'],
    ]) {
      const result = await run(...argv);
      expect(result.exitCode).toBe(0);
      const report = result.json<AuditReport | { before: AuditReport }>();
      const { notes, findings } = 'before' in report ? report.before : report;
      expect(findings).toEqual([]);
      const samples = (code: string) => notes.filter((one) => one.code === code).flatMap((one) => one.sample);
      expect(samples('not_ours').toSorted()).toEqual([
        'issued_coupon',
        'issued_coupon:coupon-3-user-u7',
        'issued_coupon:coupon:3-user:u7:idx',
        'issued_coupon:coupon:3-user:u7:phantom',
        'issued_coupon:userId:u7',
      ]);
      expect(samples('serialised_key').toSorted()).toEqual([
        '"coupon_waiting_queue:3"',
        '\\xac\\xed\\x00\\x05t\\x00\\x16coupon_waiting_queue:3',
      ]);
    }
    expect((await run('audit', '--scan')).stdout).toContain('string serializer for keys');
    expect((await run('drain', '--once', '--scan')).stderr).toContain('\\xac\\xed\\x00\\x05t\\x00\\x16coupon_waiting_queue:3');
    expect(await stores.redis.exists(`${issued}:phantom`)).toBe(1);
  });
});
