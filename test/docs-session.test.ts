/** The sessions of the documents are run, and say what the documents show. */
import { expect, describe, it } from 'vitest';
import { documents, fences } from './support/markdown.ts';
import { at, cli } from './support/run-cli.ts';
import { openStores } from './support/stores.ts';
import { sessionOf, withoutFigures } from './support/session.ts';

const pages = documents().filter((page) => fences(page).some(({ language }) => language === 'console'));

it('there are such sessions', () =>
  expect(pages.map(({ path }) => path)).toEqual(expect.arrayContaining(['README.md', 'docs/first-campaign.md'])));

describe.each(pages.map((page) => [page.path, page] as const))('%s', (_, page) => {
  it('shows what its commands print', { timeout: 120_000 }, async () => {
    await using stores = await openStores();
    for (const { program, argv, shown } of sessionOf(page)) {
      if (program === 'redis-cli') {
        const [command, ...args] = argv;
        await stores.redis.call(command!, ...args);
        continue;
      }
      let said = '';
      const hear = (text: string): void => void (said += text);
      await cli([...at(stores), ...argv], { onStdout: hear, onStderr: hear, tty: 'stdout', columns: 100, vars: { NO_COLOR: '1' } });
      expect(withoutFigures(said), argv.join(' ')).toBe(withoutFigures(shown));
    }
  });
});

describe('a difference', () => {
  const page = { text: '```console\n$ coupon-cli seed 42 --name "a b"\n✔ 100 in 0.1 s\n$ coupon-cli audit\nok\n```\n' };

  it('in what was counted would be found, in what was measured not', () => {
    expect(withoutFigures('✔ 100 in 2.7 s')).toBe(withoutFigures('✔ 100 in 0.1 s'));
    expect(withoutFigures('✔ 101 in 0.1 s')).not.toBe(withoutFigures('✔ 100 in 0.1 s'));
  });

  it('is looked for command by command, with quoted arguments', () =>
    expect(sessionOf(page)).toEqual([
      { program: 'coupon-cli', argv: ['seed', '42', '--name', 'a b'], shown: '✔ 100 in 0.1 s\n' },
      { program: 'coupon-cli', argv: ['audit'], shown: 'ok\n' },
    ]));
});
