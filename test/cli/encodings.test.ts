import { createHmac } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readEventFile } from '../../src/cli/files/event-file.ts';
import type { Env, StopSignal } from '../../src/cli/env.ts';
import { passwordOf } from '../../src/stores/postgres/connection/pgpass.ts';
import { at, cli } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

/** Files as Windows and Korean editors save them: read right, or refused by name. Nothing is read as other characters. */
const BOM = Buffer.from('efbbbf', 'hex');
/** `여름 쿠폰` in CP949, which is no UTF-8. */
const CP949 = Buffer.from('bfa9b8a720c4edc6f9', 'hex');
const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from('fffe', 'hex'), Buffer.from(text, 'utf16le')]);
const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
const file = (name: string, bytes: Buffer | string): string => {
  writeFileSync(join(folder, name), bytes);
  return name;
};

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
const run = (...argv: string[]) => cli([...at(stores), ...argv], { cwd: folder });

const event = (name: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from('coupons: [{id: c1, total: 5, name: "'), Buffer.from(name), Buffer.from('"}]\n')]);
const SCENARIO = 'version: 1\nname: x\ncoupons: [{id: c1, total: 5}]\nusers: {count: 9}\nphases: [{vus: 1}]\n';
const USERS = SCENARIO.replace('{count: 9}', '{file: users.csv, userId: id}');

const REFUSED: [string, () => string[]][] = [
  ['an event file in CP949', () => ['seed', '--file', file('e.yaml', event(CP949))]],
  ['an event file in UTF-16', () => ['seed', '--file', file('e.yaml', utf16(event('쿠폰').toString()))]],
  ['an event file in UTF-16 without a mark', () => ['seed', '--file', file('e.yaml', Buffer.from(event('x').toString(), 'utf16le'))]],
  ['the file of an edit', () => ['edit', '--file', file('e.yaml', event(CP949)), '--confirm']],
  ['an event that doctor judges', () => ['doctor', '--for', file('e.yaml', event(CP949))]],
  ['a scenario in CP949', () => ['bench', 'check', file('s.yaml', Buffer.concat([Buffer.from(`${SCENARIO}description: `), CP949]))]],
  ['a scenario in UTF-16', () => ['bench', 'check', file('s.yaml', utf16(SCENARIO))]],
  ['users in UTF-16', () => (file('users.csv', utf16('id,name\nkim,a\n')), ['bench', 'check', file('s.yaml', USERS)])],
  [
    'users in CP949',
    () => (file('users.csv', Buffer.concat([Buffer.from('id,name\nkim,'), CP949])), ['bench', 'check', file('s.yaml', USERS)]),
  ],
  [
    'results of k6 in UTF-16',
    () => ['bench', 'verify', '--import', file('r', utf16('user,status\nu1,201\n')), '--scenario', file('s.yaml', SCENARIO)],
  ],
  ['a description in UTF-16', () => ['bench', 'init', '--from-openapi', file('o.yaml', utf16('openapi: 3.1.0\npaths: {}\n'))]],
  [
    'settings in CP949',
    () => ['--config', file('prod.env', Buffer.concat([Buffer.from('# '), CP949, Buffer.from('\nCOUPON_BATCH=7\n')])), 'config', 'show'],
  ],
];

test.each(REFUSED)('%s is refused by its name', async (_what, argv) => {
  const { exitCode, stderr } = await run(...argv());
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('not UTF-8') });
  expect(stderr).toMatch(/e\.yaml|s\.yaml|users\.csv|"?r"?|o\.yaml|prod\.env/);
  expect(await stores.sql('SELECT FROM coupons')).toEqual([]);
});

test('standard input is no exception', async () => {
  const env = { stdin: Readable.from([event(CP949)]) } as Env;
  await expect(readEventFile(env, '-')).rejects.toMatchObject({
    code: 'BAD_EVENT_FILE',
    message: expect.stringContaining('stdin is not UTF-8'),
  });
});

test('a syllable that lies across two chunks is whole', async () => {
  const bytes = event('여름 쿠폰');
  const stdin = Readable.from(Array.from(bytes, (byte) => Buffer.from([byte])));
  expect(await readEventFile({ stdin } as Env, '-')).toMatchObject([{ name: '여름 쿠폰' }]);
});

test('a byte order mark is no part of what follows', async () => {
  const marked = (text: string): Buffer => Buffer.concat([BOM, Buffer.from(text)]);
  expect((await run('seed', '--dry-run', '--file', file('e.yaml', marked(event('쿠폰').toString())))).exitCode).toBe(0);
  file('users.csv', marked('id,name\nkim,a\n'));
  expect((await run('bench', 'check', file('s.yaml', marked(USERS)))).exitCode).toBe(0);
  const question = { host: 'h', port: 5432, database: 'd', user: 'u' };
  expect(passwordOf('\uFEFFh:5432:d:u:secret\n', question)).toBe('secret');
});

describe('a file of settings', () => {
  const shown = async (name: string, bytes: Buffer): Promise<string> => {
    const { exitCode, stdout, stderr } = await cli(['--config', file(name, bytes), 'config', 'show'], { cwd: folder });
    return exitCode === 0 ? stdout : stderr;
  };
  const LINES = 'COUPON_BATCH=7\r\nCOUPON_LEASE=40s\r\n';

  test('behind a byte order mark has its first line, too', async () => {
    const all = await shown('marked.env', Buffer.concat([BOM, Buffer.from(LINES)]));
    expect(all).toMatch(/^batch\t7\tfile \(COUPON_BATCH in marked\.env\)$/m);
    expect(all).toMatch(/^lease\t40s\tfile/m);
  });

  test.each([
    ['UTF-16', utf16(LINES)],
    ['UTF-16 without a mark', Buffer.from(LINES, 'utf16le')],
    ['UTF-16, high byte first', Buffer.from(`\uFEFF${LINES}`, 'utf16le').swap16()],
  ])('in %s is refused by name', async (_what, bytes) => {
    expect(await shown('wide.env', bytes)).toMatch(/the settings file wide\.env: is not UTF-8 \[BAD_CONFIG_FILE\]/);
  });
});

describe('the secret of tokens', () => {
  const SECRET = 'a secret of thirty-two bytes, or more';
  const RANDOM = Buffer.from('ff00c3280a9f92e1b04d7c8d1f6a55aa3c90e7fb21d8447e99ab10cd3f52860a', 'hex');
  const token = (secret: Buffer | string): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = `${part({ alg: 'HS256' })}.${part({ sub: 'kim', exp: 4_000_000_000 })}`;
    return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
  };

  test.each([
    ['behind a byte order mark', Buffer.concat([BOM, Buffer.from(`${SECRET}\r\n`)]), SECRET],
    ['of random bytes', RANDOM, RANDOM],
  ])('%s is what the tokens are signed with', async (_what, bytes, secret) => {
    let stop: (name: StopSignal) => void = () => undefined;
    let asked: Promise<Response> | undefined;
    await cli(['serve', '--port', '0', '--json', ...at(stores), '--jwt-secret-file', file('secret', bytes)], {
      cwd: folder,
      onListen: (listener) => (stop = listener),
      onStdout: (line) => {
        asked = fetch(`${(JSON.parse(line) as { url: string }).url}/coupons/none/requests`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token(secret)}`, 'content-type': 'application/json' },
          body: '{"userId":"kim"}',
        }).finally(() => stop('SIGTERM'));
      },
    });
    expect((await asked)?.status).toBe(404);
  });

  test('in UTF-16 is refused', async () => {
    const { exitCode, stderr } = await run('serve', '--port', '0', '--jwt-secret-file', file('secret', utf16(SECRET)));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('UTF-16') });
  });
});
