import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { parseScenario } from '../../src/bench/scenario/scenario.ts';
import { parseEvent } from '../../src/campaign/event.ts';
import { readEventFile } from '../../src/cli/files/event-file.ts';
import type { CouponError } from '../../src/lib/errors.ts';
import type { Env } from '../../src/cli/env.ts';

const message = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    const { message: what, why = '' } = error as CouponError;
    return `${what}\n${why}`;
  }
  throw new Error('it was taken');
};

test('an event file without an end is not read to it', async () => {
  let given = 0;
  const endless = Readable.from(
    (function* () {
      for (; given < 700; given += 1) yield Buffer.alloc(1_000_000, 'x');
    })(),
    { highWaterMark: 1 },
  );
  const refused = readEventFile({ stdin: endless } as Env, '-');
  await expect(refused).rejects.toMatchObject({
    code: 'BAD_EVENT_FILE',
    kind: 'usage',
    message: expect.stringContaining('stdin has more than'),
  });
  expect(given).toBeLessThan(30);
  await expect(readEventFile({ stdin: endless, cwd: '/' } as Env, '/dev/zero')).rejects.toMatchObject({ code: 'BAD_EVENT_FILE' });
});

test('a file that is longer than any event or scenario is refused before it is parsed', () => {
  const long = `# ${'x'.repeat(4_000_001)}`;
  expect(message(() => parseEvent(long, 'event.yaml'))).toContain('at most 4000000 are read');
  expect(message(() => parseScenario(long, 'load.yaml'))).toContain('at most 4000000 are read');
});

test('of many problems the first ones are shown, and how many there are', () => {
  const unknown = Array.from({ length: 2_000 }, (_, i) => `key${i}: 1`).join('\n');
  const text = message(() => parseEvent(unknown, 'event.yaml'));
  // Each is a line, the text and a caret.
  expect(text.split('\n').length).toBeLessThanOrEqual(3 * 20 + 2);
  expect(text).toMatch(/and \d+ more$/);
});

/** Whoever reads such a text once for each pair of braces takes minutes, which the time limit of a test ends. */
test('a template of very many braces is read once', () => {
  const scenario = (path: string): string =>
    `name: x\ntarget: http://127.0.0.1:1\nrequest: {path: "/${path}"}\nphases: [{vus: 1, iterations: 1}]\n`;
  for (const path of ['{{'.repeat(200_000), '{{ '.repeat(200_000), '{{a'.repeat(200_000)])
    expect(message(() => parseScenario(scenario(path), 'load.yaml'))).toContain('load.yaml');
});
