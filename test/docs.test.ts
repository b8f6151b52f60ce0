import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../src/bench/checks/integrity.ts';
import { parseScenario } from '../src/bench/scenario/scenario.ts';
import { parseEvent } from '../src/campaign/event.ts';
import { EXIT } from '../src/cli/exit-codes.ts';
import { SETTINGS } from '../src/cli/settings.ts';
import { documentedCommands, loadProgram, wrongCommand } from './support/documented-commands.ts';
import { deadLinks, document, documents, fences, missingPaths, ROOT, spans, type Document } from './support/markdown.ts';

const all = documents();
const current = all.filter(({ path }) => path !== 'CHANGELOG.md');
const program = await loadProgram();

const README_LINES = 150;

/** The first cell of each row of the tables in a document. */
function firstCells({ text }: Pick<Document, 'text'>): string[] {
  return [...text.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, cell]) => cell!.trim());
}

function foldersIn(map: Pick<Document, 'text'>): string[] {
  return firstCells(map).flatMap((cell) => /^`src\/([a-z-]+)`$/.exec(cell)?.[1] ?? []);
}

/** What two READMEs in different languages must share. */
function inStep(page: Pick<Document, 'text'>) {
  const prose = page.text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/^\d\./gm, '');
  return {
    headings: [...page.text.matchAll(/^(#+) /gm)].map(([, level]) => level),
    commands: documentedCommands(page)
      .map(({ words }) => words.join(' '))
      .toSorted(),
    output: fences(page).filter(({ language }) => language === 'console'),
    code: spans(page).toSorted(),
    figures: [...prose.matchAll(/-?\d[\d,.]*\d|\d/g)].map(([figure]) => figure).toSorted(),
    links: [...prose.matchAll(/\]\((?!README)([^)]+)\)/g)].map(([, target]) => target).toSorted(),
  };
}

function wrongCommands(text: string): string[] {
  return documentedCommands({ text }).flatMap((command) => {
    const wrong = wrongCommand(program, command);
    return wrong === null ? [] : [`coupon-cli ${command.words.join(' ')}: ${wrong}`];
  });
}

/** Problems of every document, each under its path. */
function everywhere(those: readonly Document[], problems: (one: Document) => string[]): string[] {
  return those.flatMap((one) => problems(one).map((problem) => `${one.path}: ${problem}`));
}

describe('every document', () => {
  it('has links that lead somewhere', () => expect(everywhere(all, deadLinks)).toEqual([]));

  it('names files that are there', () => expect(everywhere(current, missingPaths)).toEqual([]));

  it('names commands and options of the program', () => expect(everywhere(current, ({ text }) => wrongCommands(text))).toEqual([]));
});

describe('the README', () => {
  const readme = document('README.md');

  it(`has at most ${README_LINES} lines`, () => expect(readme.text.split('\n').length - 1).toBeLessThanOrEqual(README_LINES));

  it('names every command', () => {
    const named = new Set(documentedCommands(readme).map(({ words }) => words[0]));
    expect(program.root.commands.map((command) => command.name()).filter((name) => name !== 'help' && !named.has(name))).toEqual([]);
  });
});

describe('the README in Korean', () => {
  const [english, korean] = [document('README.md'), document('README.ko.md')];

  it.each(['headings', 'commands', 'output', 'code', 'figures', 'links'] as const)('has the same %s', (what) =>
    expect(inStep(korean)[what]).toEqual(inStep(english)[what]),
  );

  it('would be found to lag behind', () => {
    const late = { text: english.text.replace('276 kills', '275 kills').replace('drain --until-empty', 'drain --once') };
    expect(inStep(late).figures).not.toEqual(inStep(english).figures);
    expect(inStep(late).commands).not.toEqual(inStep(english).commands);
  });
});

describe('what a document repeats from the code', () => {
  it('is the folders of src, in ARCHITECTURE.md', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(foldersIn(document('ARCHITECTURE.md')).toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });

  it('is every setting with its flag and default, in docs/operations.md', () => {
    const { text } = document('docs/operations.md');
    const missing = Object.values(SETTINGS)
      .flatMap(({ variable, flag, fallback }) => [variable, flag, ...(fallback === '' ? [] : [fallback])])
      .filter((word) => !text.includes(`\`${word}\``));
    expect(missing).toEqual([]);
  });

  it('is every exit code, in docs/operations.md', () => {
    const codes = firstCells(document('docs/operations.md')).flatMap((cell) =>
      /^\d+(, \d+)*$/.test(cell) ? cell.split(', ').map(Number) : [],
    );
    expect(codes).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
  });

  it('is an event file that can be seeded, with every field, in docs/first-campaign.md', () => {
    const { text } = fences(document('docs/first-campaign.md')).find(({ language }) => language === 'yaml')!;
    const coupons = parseEvent(text, 'docs/first-campaign.md');
    expect(coupons.map(({ expiry }) => expiry.kind)).toEqual(['at', 'after']);
    expect(coupons[0]).toMatchObject({ opensAt: expect.any(Date), closesAt: expect.any(Date) });
  });

  it('is every check of bench, in docs/bench.md', () =>
    expect(firstCells(document('docs/bench.md'))).toEqual(expect.arrayContaining(CHECKS.map((check) => `\`${check}\``))));

  it('is a scenario that can be read, in docs/bench.md', () => {
    const { text } = fences(document('docs/bench.md')).find(({ language }) => language === 'yaml')!;
    const world = {
      variables: { TARGET: 'http://127.0.0.1:8080' },
      open: () => [`id,token\n${Array.from({ length: 10_000 }, (_, user) => `user-${user},t${user}\n`).join('')}`],
    };
    expect(parseScenario(text, 'docs/bench.md', world).name).toBe('my-sale');
  });
});

describe('the decisions', () => {
  const records = current.filter(({ path }) => /^docs\/decisions\/\d/.test(path));

  it('are all in the index, under their titles', () => {
    const index = document('docs/decisions/README.md').text;
    const listed = [...index.matchAll(/^- \[(.+)\]\((.+)\)$/gm)].map(([, title, file]) => `${file}: ${title}`);
    const there = records.map(({ path, text }) => `${path.replace('docs/decisions/', '')}: ${/^# (.+)$/m.exec(text)?.[1]}`);
    expect(listed.toSorted()).toEqual(there.toSorted());
  });

  it('stand alone, each with its number in its title and its context, decision and consequence', () => {
    const shape = ({ path, text }: Document): string[] => {
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
      return [/^# (\d+)/.exec(text)?.[1] === /\d+/.exec(path)?.[0] ? 'numbered' : 'another number', ...headings];
    };
    const wrong = records.filter((record) => shape(record).join() !== 'numbered,Context,Decision,Consequence');
    expect(wrong.map(({ path }) => path)).toEqual([]);
    expect(records.length).toBeGreaterThan(0);
  });
});

describe('these checks find', () => {
  it.each([
    ['a link to no file', '[x](docs/nowhere.md)'],
    ['a link to no heading', '[x](README.md#nowhere)'],
    ['a link to no heading of its own', '# Here\n\n[x](#there)'],
  ])('%s', (_, text) => expect(deadLinks({ path: 'planted.md', text })).toHaveLength(1));

  it('no fault in links that lead somewhere', () => {
    const text = '# Over here, `now`!\n\n[a](#over-here-now) [b](LICENSE) [c](src/) [d](https://example.org/x) `[e](nowhere.md)`';
    expect(deadLinks({ path: 'planted.md', text })).toEqual([]);
  });

  it('a file that is not there', () =>
    expect(missingPaths({ text: '`src/nowhere.ts` `src/main.ts` `src/<name>.ts`' })).toEqual(['src/nowhere.ts']));

  it.each([
    ['a command that does not exist', '`coupon-cli sed 42`'],
    ['an option that does not exist', '`drain --intervall 2s`'],
    ['an option of another command', '```sh\ncoupon-cli audit --stock 1\n```'],
    ['an option without its value', '```sh\ncoupon-cli seed 42 --name\n```'],
    ['an argument too many', '`use ID USER NOW`'],
    ['a second command of a line', '```sh\ncoupon-cli migrate && coupon-cli drane\n```'],
    ['a command within quotes', '```sh\neval "$(coupon-cli dev environment)"\n```'],
    ['an option after a continued line', '```sh\ncoupon-cli seed 42 \\\n  --nom x\n```'],
  ])('%s', (_, text) => expect(wrongCommands(text)).toHaveLength(1));

  it('no fault in commands that exist', () => {
    const text =
      '`coupon-cli COMMAND --help`, `bench SCENARIO --stack`, `bench --url`, `dead retry ID USER USER`\n\n```sh\ncoupon-cli drain 42 --json | jq . # --nothing\n```';
    expect(wrongCommands(text)).toEqual([]);
  });

  it('a folder that the map lacks', () => expect(foldersIn({ text: '| `src/cli` | x |\n| see `src/lib` | x |' })).toEqual(['cli']));
});
