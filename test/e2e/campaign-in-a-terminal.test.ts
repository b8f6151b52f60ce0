/**
 * One campaign from its set-up to its end, typed into a real terminal, with both stores compared after every step. What the terminal shows
 * stands in docs/a-campaign-in-a-terminal.md; `COUPON_TRANSCRIPT=write` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, cli } from '../support/run-cli.ts';
import { ROOT } from '../support/markdown.ts';
import { withoutFigures } from '../support/session.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { openShell, tmux, type TestShell } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const PAGE = join(ROOT, 'docs/a-campaign-in-a-terminal.md');
const TRANSCRIPT = /(?<=^```text\n)[^]*(?=^```$)/m;
const SIZE = { columns: 80, rows: 50 };
/** Ten seconds, so that a restock comes in the middle on any machine. */
const RUSH = 'coupon-cli submit summer --users 40000 --rate 4000/s';
const SLOW_MS = 120_000;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

/** `doctor` tells of this machine; the other figures are times, and how a drain came to its end. */
function comparable(transcript: string): string {
  const steps = transcript.split(/^(?=\$ )/m).map((step) => (step.startsWith('$ coupon-cli doctor') ? '$ coupon-cli doctor\n' : step));
  return withoutFigures(steps.join('')).replaceAll(/\d+ pass(es)?/g, 'PASSES');
}

describe.skipIf(tmux === null)('a campaign in a real terminal', () => {
  it('leaves both stores of one mind after every step, and looks as the document shows it', { timeout: 300_000 }, async () => {
    const where = { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl, NO_COLOR: '1' };
    await using first = await openShell(SIZE, where);
    await using second = await openShell(SIZE, where);
    let transcript = '';
    const agree = async (step: string): Promise<void> => {
      const { exitCode, stdout } = await cli(['audit', '--scan', ...at(stores)]);
      expect(exitCode, `${step}\n${stdout}`).toBe(0);
    };
    const type = async (command: string, shell: TestShell = first): Promise<void> => {
      const { shown, exitCode } = await shell.type(command, SLOW_MS);
      expect(exitCode, `${command}\n${shown}`).toBe(0);
      transcript += `$ ${command}\n${shown.trimEnd()}\n\n`;
      await agree(command);
    };

    await type('coupon-cli seed summer --name "여름맞이 쿠폰" --stock 100');
    await type('coupon-cli doctor');
    await type('coupon-cli pause summer');
    await type('coupon-cli submit summer --users 5');
    await type('coupon-cli resume summer');
    // The transcript has the rush where it ends.
    const rush = type(RUSH, second);
    await until(async () => (await stores.redis.hget('coupon:summer', 'stock')) === '0', SLOW_MS);
    await type('coupon-cli restock summer --add 50');
    await rush;
    await type('coupon-cli inspect');
    await type('coupon-cli drain --until-empty --eager');
    await type('coupon-cli inspect');
    await type('coupon-cli use summer user-1');
    await type('coupon-cli revoke summer user-2 --reason "order cancelled"');
    await type('coupon-cli close summer');
    await type('coupon-cli export summer --out issued.csv');
    await type('coupon-cli purge summer --confirm summer');
    await type('coupon-cli inspect');

    if (process.env['COUPON_TRANSCRIPT'] === 'write') {
      writeFileSync(
        PAGE,
        readFileSync(PAGE, 'utf8').replace(TRANSCRIPT, () => `${transcript.trimEnd()}\n`),
      );
    }
    expect(comparable(transcript)).toBe(comparable(TRANSCRIPT.exec(readFileSync(PAGE, 'utf8'))![0]));
  });
});
