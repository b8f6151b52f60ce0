import dns from 'node:dns';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { cli } from '../support/run-cli.ts';

/** Two halves, so that a character can be put between them. No piece of four letters stands in any message. */
const [A, B] = ['S3cr3tPw', 'Zq7Xw9Kd'];
const PIECES = [A, B].flatMap((half) => Array.from({ length: half.length - 3 }, (_, i) => half.slice(i, i + 4)));

function leaked(text: string): string[] {
  return PIECES.filter((piece) => text.includes(piece));
}

/** Where nobody listens. */
const HOST = '127.0.0.1:1';

const PASSWORDS = [
  `${A}${B}`,
  ...['/', '#', '?', '@', ':', '%', '&', '=', '+', '[', '\\', '"', "'", ' ', '%zz', '%ff', '%00', '//', '/?#@'].map((c) => A + c + B),
];

/** Redis and PostgreSQL URLs with the password in each place and in each wrong form. */
const FORMS: [name: string, redis: string, database: string][] = [
  ...PASSWORDS.flatMap((password): [string, string, string][] => [
    [`user:${password}`, `redis://app:${password}@${HOST}`, `postgres://app:${password}@${HOST}/shop`],
    [`:${password}`, `redis://:${password}@${HOST}`, `postgres://:${password}@${HOST}/shop`],
  ]),
  ...['/', '#', '?', '@', '%'].map((c): [string, string, string] => [
    `digits, then ${c}`,
    `redis://u:12${c}${A}@${HOST}`,
    `postgres://coupon:12${c}${A}@${HOST}/coupon`,
  ]),
  ['escaped', `redis://:${encodeURIComponent(`${A}/@:#${B}`)}@${HOST}`, `postgres://u:${encodeURIComponent(`${A}/@:#${B}`)}@${HOST}/x`],
  ['@ before /', `redis://:p@ss/${A}:rd@h`, `postgres://u:p@ss/${A}:rd@h/x`],
  ['in a parameter', `redis://${HOST}?password=${A}`, `postgres://u@${HOST}/x?password=${A}`],
  ['in two places', `redis://:${A}@${HOST}?password=${A}`, `postgres://u:${A}@${HOST}/x?password=${B}`],
  ['in ?auth=', `redis://${HOST}?auth=${A}`, `postgres://u@${HOST}/x?auth=${A}`],
  ['as the name of a parameter', `redis://${HOST}?${A}`, `postgres://${HOST}/x?${A}`],
  ['as a name with a value', `redis://${HOST}?${A}=1`, `postgres://${HOST}/x?${A}=1`],
  ['alone as the user', `redis://${A}@${HOST}`, `postgres://u:${A}@${HOST}`],
  ['as the path', `redis://${HOST}/${A}`, `postgres://u:${A}@${HOST}/x?sslmode=${B}`],
  ['as the port', `redis://h:${A}`, `postgres://h:${A}/x`],
  ['in a wrong scheme', `http://:${A}@${HOST}`, `mysql://u:${A}@${HOST}/x`],
  ['without a scheme', `app:${A}@${HOST}`, `app:${A}@${HOST}/x`],
  ['with one slash', `redis:/app:${A}@${HOST}`, `postgres:/app:${A}@${HOST}/x`],
  ['in quotes', `"redis://:${A}@${HOST}"`, `'postgres://u:${A}@${HOST}/x'`],
  ['with a line end', `redis://:${A}@${HOST}\r`, `postgres://u:${A}@${HOST}/x\n`],
  ['JDBC, key=value', `redis://:${A}@${HOST}/1/2`, `jdbc:postgresql://${HOST}/x?user=u&password=${A}`],
  ['for libpq', `redis://:${A}@${HOST}?keyPrefix=x`, `host=127.0.0.1 port=1 password=${A} dbname=x`],
  ['of a file', `rediss://:${A}@${HOST}`, `postgres://u:${A}@${HOST}/x?sslrootcert=/nowhere/${B}`],
  ['several hosts', `redis://:${A}@h1,h2`, `postgres://u:${A}@h1:1,,h2:1/x`],
  ['no host', `redis://:${A}@`, `postgres://u:${A}@/x?host=/nowhere`],
];

const MODES = [[], ['--debug'], ['--json'], ['--json', '--debug']];

describe('of a password in the settings, no four characters are printed', () => {
  /** Names that were looked up. */
  let asked: string[] = [];
  beforeEach(() => {
    asked = [];
    // Names must not be resolved in a test: they are not ours.
    vi.spyOn(dns, 'lookup').mockImplementation(((name: string, _options: unknown, done: (error: Error) => void) => {
      asked.push(name);
      process.nextTick(done, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }));
    }) as unknown as typeof dns.lookup);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(FORMS)('%j', async (_name, redis, database) => {
    const vars = { REDIS_URL: redis, DATABASE_URL: database };
    const said: string[] = [];
    for (const flags of MODES) {
      for (const argv of [['config', 'show'], ['migrate'], ['submit', 'x', '--user', 'kim']]) {
        const result = await cli([...argv, ...flags], { vars });
        said.push(result.stdout, result.stderr);
        expect(argv[0] === 'config' ? [0] : [2, 3]).toContain(result.exitCode);
      }
    }
    // As flags, in both ways, and with the flag misspelt.
    for (const argv of [
      ['migrate', '--database-url', database],
      ['migrate', `--database-url=${database}`],
      ['submit', 'x', '--user', 'kim', '--allow-target', 'h', '--redis-url', redis],
      // Only what is written as a URL can be told from any other argument.
      ...(/^(redis|postgres)/.test(redis) ? [['inspect', `--redis-ulr=${redis}`], ['inspect', redis, database], [redis]] : []),
    ]) {
      const result = await cli(argv);
      said.push(result.stdout, result.stderr);
      expect([2, 3]).toContain(result.exitCode);
    }
    expect(leaked(said.join('\n'))).toEqual([]);
    expect(leaked(asked.join(' '))).toEqual([]);
    expect(asked.filter((name) => name !== 'h')).toEqual([]);
  });

  test('there are more than sixty forms', () => {
    expect(FORMS.length).toBeGreaterThan(60);
  });

  it('whichever setting it comes from', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'coupon-'));
    writeFileSync(join(cwd, 'x.env'), `REDIS_URL=redis://:${A}@${HOST}\nPGPASSWORD=${B}\nPGHOST=127.0.0.1\nPGPORT=1\n`);
    for (const flags of MODES) {
      const result = await cli(['--config', 'x.env', ...flags, 'config', 'show'], { cwd });
      expect(result.stdout).toContain('***');
      expect(leaked(result.stdout + result.stderr)).toEqual([]);
    }
  });
});

test('a secret that a person chose as an argument of another kind is masked as well', async () => {
  const vars = { REDIS_URL: `redis://:${A}@${HOST}` };
  const result = await cli(['seed', `x ${A}`, '--name', 'n', '--stock', '1'], { vars });
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toContain('***');
  expect(leaked(result.stderr)).toEqual([]);
});

test('a password that is a word of our own output leaves documents whole', async () => {
  const vars = { REDIS_URL: `redis://redis:redis@${HOST}`, DATABASE_URL: `postgres://coupon:coupon@${HOST}/coupon` };
  const { stdout } = await cli(['config', 'show', '--json'], { vars });
  expect(JSON.parse(stdout)).toMatchObject({
    settings: expect.arrayContaining([
      expect.objectContaining({ value: `redis://redis:***@${HOST}` }),
      expect.objectContaining({ value: `postgres://coupon:***@${HOST}/coupon` }),
    ]),
  });
  const refused = await cli(['migrate', '--json'], { vars });
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'DATABASE_DOWN', fix: expect.stringContaining('coupon-cli dev up') } });
});
