import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands/index.ts';
import { cli, type CliOptions } from '../../support/run-cli.ts';

interface Shown {
  settings: { name: string; value: string; source: string; from: string | null }[];
}

async function setting(name: string, argv: string[], options: CliOptions = {}) {
  const result = await cli(['--json', ...argv, 'config', 'show'], options);
  return result.json<Shown>().settings.find((row) => row.name === name);
}

describe('settings', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'coupon-'));
  writeFileSync(join(cwd, '.env'), 'REDIS_URL=redis://file:1\nCOUPON_BATCH=7\n');
  writeFileSync(join(cwd, 'prod.env'), 'REDIS_URL=redis://prod:1\n');

  it('come from the flag, then the environment, then the file, then the default', async () => {
    const vars = { REDIS_URL: 'redis://environment:1' };
    expect(await setting('redisUrl', ['--redis-url', 'redis://flag:1'], { vars, cwd })).toMatchObject({
      value: 'redis://flag:1',
      source: 'flag',
    });
    expect(await setting('redisUrl', [], { vars, cwd })).toMatchObject({
      value: 'redis://environment:1',
      source: 'environment',
      from: 'REDIS_URL',
    });
    expect(await setting('redisUrl', [], { cwd })).toMatchObject({ value: 'redis://file:1', source: 'file', from: 'REDIS_URL in .env' });
    expect(await setting('redisUrl', ['--config', 'prod.env'], { cwd })).toMatchObject({ value: 'redis://prod:1', source: 'file' });
    expect(await setting('redisUrl', [])).toEqual({ name: 'redisUrl', value: 'redis://127.0.0.1:6379', source: 'default', from: null });
    expect(await setting('batch', [], { cwd })).toMatchObject({ value: '7', source: 'file' });
  });

  it('that are empty count as unset', async () => {
    expect(await setting('redisUrl', [], { vars: { REDIS_URL: '' }, cwd })).toMatchObject({ source: 'file' });
  });

  it('of the database are put together from the PG variables', async () => {
    const vars = { PGHOST: 'db', PGUSER: 'kim', PGPASSWORD: 'S3CRET/?', PGDATABASE: 'shop', PGSSLMODE: 'verify-full' };
    expect(await setting('databaseUrl', [], { vars })).toMatchObject({
      value: 'postgres://kim:***@db:5432/shop?sslmode=verify-full',
      source: 'environment',
      from: 'PGHOST, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE',
    });
    expect(await setting('databaseUrl', [], { vars: { ...vars, DATABASE_URL: 'postgres://other/x' } })).toMatchObject({
      from: 'DATABASE_URL',
    });
  });

  it('are shown without passwords', async () => {
    const vars = { REDIS_URL: 'rediss://u:S3CRET@r:1', DATABASE_URL: 'postgres://u:S3CRET@p/x?password=S3CRET' };
    for (const json of [[], ['--json']]) {
      const { stdout, stderr } = await cli([...json, 'config', 'show'], { vars });
      expect(stdout + stderr).not.toContain('S3CRET');
      expect(stdout).toContain('***');
    }
  });
});

describe('help', () => {
  it.each(COMMANDS.map((entry) => entry.name))('of %s has examples, also through `help`', async (name) => {
    const flag = await cli([name, '--help']);
    expect(flag).toMatchObject({ exitCode: 0, stderr: '' });
    expect(flag.stdout).toContain(`Usage: coupon-cli ${name}`);
    expect(flag.stdout).toMatch(/^Examples:\n {2}(\w+=\S+ |eval "\$\()?coupon-cli /m);
    expect((await cli(['help', name])).stdout).toBe(flag.stdout);
  });

  it('of every subcommand has examples', async () => {
    let found = 0;
    for (const { name } of COMMANDS) {
      const { stdout } = await cli([name, '--help']);
      const listed = /^Commands:\n((?: {2}.*\n)+)/m.exec(stdout)?.[1] ?? '';
      for (const [, sub] of listed.matchAll(/^ {2}([a-z]+)/gm)) {
        found += 1;
        expect((await cli([name, sub!, '--help'])).stdout, `${name} ${sub}`).toMatch(/^Examples:\n {2}\S*.*coupon-cli /m);
      }
    }
    expect(found).toBeGreaterThan(5);
  });

  it('is what the bare command prints, on stdout, with exit 0', async () => {
    const bare = await cli([]);
    expect(bare).toMatchObject({ exitCode: 0, stderr: '' });
    expect(bare.stdout).toBe((await cli(['--help'])).stdout);
    for (const { name } of COMMANDS) expect(bare.stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('and --version agree with the package', async () => {
    expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
