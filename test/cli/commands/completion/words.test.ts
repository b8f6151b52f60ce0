import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../../src/cli/commands/index.ts';
import { runToEnd } from '../../../support/processes.ts';
import { cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

/** What is offered after these words, without the explanations. */
async function offered(words: readonly string[], vars: Record<string, string> = {}): Promise<string[]> {
  const { exitCode, stdout, stderr } = await cli(['completion', 'words', '--', ...words], { vars });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]!]));
}

describe('words that are offered', () => {
  it('are all commands, each with its summary', async () => {
    expect(await offered([''])).toEqual(COMMANDS.map(({ name }) => name));
    expect((await cli(['completion', 'words', '--', 'migr'])).stdout).toBe('migrate\tbring the database schema up to date\n');
  });

  it.each<[string[], string[]]>([
    [
      ['dead', ''],
      ['list', 'retry', 'drop'],
    ],
    [['dead', 'r'], ['retry']],
    [['drain', '--int'], ['--interval']],
    [['drain', '--once', '--unt'], ['--until-empty']],
    // Global options, also before the command; an option's value is no command.
    [['drain', '--debu'], ['--debug']],
    [['--config', 'x.env', 'drai'], ['drain']],
    [['--config', 'drain', '--int'], []],
    // `bench SCENARIO` is short for `bench run SCENARIO`.
    [['bench', '--sta'], ['--stack']],
    [
      ['bench', 'smok'],
      ['smoke', ':files'],
    ],
    [
      ['bench', 'smoke', 'flash'],
      ['flash-sale', ':files'],
    ],
    [['help', 'gran'], ['grants']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['inspect', '--state', 's'],
      ['scheduled', 'sold_out', 'suspect', 'seeding', 'server_away'],
    ],
    [['top', '--state', 'open,pa'], ['open,paused']],
    [['seed', '--file', 'ev'], [':files']],
    [['doctor', '--for=ev'], [':files']],
    [['drain', '--', '--int'], []],
    [['nothing', 'x'], []],
  ])('%j: %j', async (words, expected) => expect(await offered(words)).toEqual(expected));

  it('never are what is hidden', async () => {
    expect(await offered(['completion', 'w'])).toEqual([]);
    expect(await offered(['dev', 'k'])).toEqual([]);
  });

  it('are those of every command and subcommand: none of them fails', async () => {
    for (const { name } of COMMANDS) expect(await offered([name, '-'])).toContain('--help');
  });
});

describe('coupon ids', () => {
  const vars = (): Record<string, string> => ({ DATABASE_URL: stores.databaseUrl });
  beforeAll(async () => {
    await stores.sql(
      `INSERT INTO coupons (id, name, total_quantity, epoch, state, key_style)
       SELECT id, 'Name', 1, gen_random_uuid(), 'ready', 'plain'
       FROM (SELECT 'many-' || n AS id FROM generate_series(1, 150) AS n UNION ALL VALUES ('alone'), ('a_b'), ('axb')) AS ids`,
    );
  });

  it('are those of the ledger that begin so; nothing in them is a pattern', async () => {
    expect(await offered(['inspect', 'coupon', 'al'], vars())).toEqual(['alone']);
    expect(await offered(['inspect', 'coupon', 'a_'], vars())).toEqual(['a_b']);
    expect(await offered(['drain', 'alone', 'ax'], vars())).toEqual(['axb']);
    expect(await offered(['use', 'alone', 'a'], vars())).toEqual([]);
  });

  it('are those of the ledger that the line itself names', async () =>
    expect(await offered(['--database-url', stores.databaseUrl, 'export', 'alo'])).toEqual(['alone']));

  it('are at most a hundred', async () => expect(await offered(['export', 'many'], vars())).toHaveLength(100));

  it('are given as values of options, as zsh and bash spell them', async () => {
    expect(await offered(['dead', 'drop', 'alone', '--confirm', 'al'], vars())).toEqual(['alone']);
    expect(await offered(['dead', 'drop', 'alone', '--confirm=al'], vars())).toEqual(['--confirm=alone']);
    expect(await offered(['dead', 'drop', 'alone', '--confirm', '=', 'al'], vars())).toEqual(['alone']);
    expect(await offered(['dead', 'drop', 'alone', '--confirm', '='], vars())).toHaveLength(100);
  });

  it.each([
    ['no database', 'postgres://127.0.0.1:1/none'],
    ['a wrong URL', 'mysql://x'],
  ])('are none without a word: %s', async (_what, url) => expect(await offered(['export', 'a'], { DATABASE_URL: url })).toEqual([]));

  it('are not waited for where the database says nothing', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const env = { DATABASE_URL: `postgres://127.0.0.1:${port}/x?connect_timeout=600` };
    // It comes to an end although the database never answers.
    expect(await runToEnd(['completion', 'words', '--', 'export', 'a'], { env })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    silent.close();
  });
});
