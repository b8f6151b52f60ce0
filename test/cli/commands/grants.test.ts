import { describe, expect, it } from 'vitest';
import { COMMAND_USES } from '../../../src/stores/rights/commands.ts';
import { cli } from '../../support/run-cli.ts';

interface Grants {
  grants: {
    commands: string[];
    user: string;
    redis: { acl: string; keys: string[]; commands: string[] } | null;
    postgres: { sql: string[]; tables: Record<string, string[]> } | null;
  }[];
}

describe('coupon-cli grants', () => {
  it('prints the lines for one command as they are pasted, without a store', async () => {
    const { exitCode, stdout, stderr } = await cli(['grants', 'dead retry']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `ACL SETUSER coupon_dead_retry on >PASSWORD resetkeys ~coupon:* ~coupon_admitted:* ~coupon_dead:* ~coupon_waiting_queue:* resetchannels -@all +eval +evalsha +hdel +hget +hincrby +hscan +info +zadd +zcard
CREATE ROLE "coupon_dead_retry" LOGIN PASSWORD 'PASSWORD';
GRANT USAGE ON SCHEMA "public" TO "coupon_dead_retry";
GRANT SELECT ON "public".coupons TO "coupon_dead_retry";
GRANT SELECT ON "public".coupon_migrations TO "coupon_dead_retry";
`,
    });
    expect(stderr).toContain('a password of your own in place of PASSWORD');
  });

  it('has a user for each command and for each option that needs more', async () => {
    const { grants } = (await cli(['grants', '--json'])).json<Grants>();
    const names = grants.flatMap(({ commands }) => commands);
    expect(names).toEqual(expect.arrayContaining([...Object.keys(COMMAND_USES), 'drain --scan', 'audit --repair', 'seed --reset']));
    expect(new Set(grants.map(({ user }) => user)).size).toBe(grants.length);
    expect(grants.find(({ user }) => user === 'coupon_audit_repair')?.postgres?.tables).toMatchObject({
      issued_coupons: ['insert', 'select', 'update'],
    });
  });

  it('spells keys, database and schema as the settings do', async () => {
    const where = ['--key-prefix', 'st:', '--key-style', 'hash-tag', '--schema', 'shop', '--redis-url', 'redis://u:secret@h/3'];
    const { stdout } = await cli(['grants', 'use', ...where]);
    expect(stdout).toContain(' ~st:issued_coupon:coupon:{*}-user:* ');
    expect(stdout).toContain(' +select ');
    expect(stdout).toContain('GRANT SELECT, UPDATE ON "shop".issued_coupons TO "coupon_use";');
    expect(stdout).not.toContain('secret');
  });

  it('makes one user of several commands, of no more than was asked for', async () => {
    const run = async (...words: string[]) => (await cli(['grants', ...words, '--user', 'shop', '--json'])).json<Grants>().grants;
    const [shop, ...others] = await run('seed', 'drain');
    expect(others).toEqual([]);
    expect(shop).toMatchObject({ commands: ['seed', 'drain'], user: 'shop' });
    expect(shop!.redis!.commands).toEqual(expect.arrayContaining(['sadd', 'zadd']));
    expect(shop!.redis!.commands).not.toContain('scan');
    expect((await run('drain --scan --health-port'))[0]!.redis!.commands).toEqual(expect.arrayContaining(['scan', 'srem']));
    expect((await run('dead'))[0]!.commands).toEqual(['dead list', 'dead retry', 'dead drop']);
  });

  it('--for prints one store alone, and nothing for a command that does not use it', async () => {
    const redis = await cli(['grants', 'log', 'drain', '--for', 'redis']);
    expect(redis.stdout).toMatch(/ACL SETUSER coupon_drain /);
    expect(redis.stdout).not.toMatch(/GRANT|CREATE ROLE|coupon_log/);
    const postgres = await cli(['grants', 'log', 'drain', '--for', 'postgres']);
    expect(postgres.stdout).toMatch(/GRANT SELECT ON "public".operator_log TO "coupon_log";/);
    expect(postgres.stdout).not.toContain('ACL SETUSER');
  });

  it.each([
    [['grants', 'drian'], 'did you mean "drain"?'],
    [['grants', 'drain --scna'], 'did you mean "drain --scan"?'],
    [['grants', 'drain', '--for', 'mysql'], 'Use redis or postgres'],
    [['grants', 'drain', '--user', 'a b'], 'is no name of a user'],
  ])('%j is refused', async (argv, text) => {
    const { exitCode, stderr } = await cli(argv);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(text) });
    expect(stderr).toContain('[GRANTS_USAGE]');
  });
});
