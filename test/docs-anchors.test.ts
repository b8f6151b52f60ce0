/** A message links to the section that explains it: each has one, and no section is left over. */
import { describe, expect, it } from 'vitest';
import { FINDING_CODES } from '../src/audit/findings.ts';
import { NOTES } from '../src/audit/notes.ts';
import { UNEXPECTED, failureJson, failureText } from '../src/cli/failure.ts';
import { docsBase, docsLink, type DocsPage } from '../src/lib/docs.ts';
import { ERROR_CODES } from '../src/lib/error-codes.ts';
import { usageError } from '../src/lib/errors.ts';
import { painter } from '../src/lib/text/style.ts';
import { CHECKS } from '../src/operate/doctor/line.ts';
import { sourceText } from './support/source-text.ts';
import { deadLinks, document } from './support/markdown.ts';

const PAGES: Record<DocsPage, readonly string[]> = {
  doctor: CHECKS,
  errors: [...ERROR_CODES, UNEXPECTED],
  findings: [...FINDING_CODES, ...Object.keys(NOTES)],
};

/** The headings of a page that are codes, each with the text of its section. */
function sections(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^### `(\w+)`\n([\s\S]*?)(?=^#|(?![\s\S]))/gm)].map(([, code, body]) => [code!, body!.trim()]));
}

function missing(text: string, codes: readonly string[]): string[] {
  const there = sections(text);
  return codes.filter((code) => (there.get(code) ?? '') === '');
}

describe.each(Object.entries(PAGES))('docs/%s.md', (page, codes) => {
  const { path, text } = document(`docs/${page}.md`);

  it('has a section for each code, and says something in it', () => expect(missing(text, codes)).toEqual([]));

  it('has no section that nothing links to', () => {
    expect([...sections(text).keys()].filter((code) => !codes.includes(code))).toEqual([]);
  });

  it('has each once', () => expect([...text.matchAll(/^### `/gm)]).toHaveLength(codes.length));

  it('is where the links of messages lead', () => {
    const links = codes.map((code) => `[x](${docsLink(page as DocsPage, code).replace(/^.*docs\//, '')})`);
    expect(deadLinks({ path, text: links.join('\n') })).toEqual([]);
  });
});

describe('an error', () => {
  it('has a code that something still throws', () => {
    const source = sourceText(({ path }) => path !== 'src/lib/error-codes.ts');
    expect(ERROR_CODES.filter((code) => !source.includes(`'${code}'`))).toEqual([]);
  });

  it.each([
    ['of ours', usageError('BAD_DATE', 'no time', 'Write one.'), 'BAD_DATE'],
    ['of nobody', new Error('boom'), UNEXPECTED],
  ])('%s names its fix and where it is explained', (_, error, code) => {
    expect(failureText(error, painter(false), false)).toMatch(
      new RegExp(`\\[${code}\\]\n  fix: .+\n  see: docs/errors.md#${code.toLowerCase()}\n$`),
    );
    expect(failureJson(error, 2)).toMatchObject({ error: { code, docs: `docs/errors.md#${code.toLowerCase()}` } });
  });
});

describe('the link', () => {
  it.each([
    [undefined, ''],
    ['git+https://github.com/owner/name.git', 'https://github.com/owner/name/blob/v1.2.3/'],
    [{ url: 'https://github.com/owner/name' }, 'https://github.com/owner/name/blob/v1.2.3/'],
  ])('of a package whose repository is %j begins with "%s"', (repository, base) =>
    expect(docsBase({ version: '1.2.3', ...(repository ? { repository } : {}) })).toBe(base),
  );
});

describe('these checks find', () => {
  it('a code without a section, and an empty section', () =>
    expect(missing('### `A_CODE`\n\nText.\n\n### `EMPTY`\n\n## Next\n\nText.', ['A_CODE', 'EMPTY', 'GONE'])).toEqual(['EMPTY', 'GONE']));
});
