import { expect, it } from 'vitest';
import { benchJunit } from '../../../src/bench/report/junit.ts';
import { benchMarkdown } from '../../../src/bench/report/markdown.ts';
import { benchSummary } from '../../../src/bench/report/summary.ts';
import { htmlReport } from '../../../src/bench/report/html/page.ts';
import { painter } from '../../../src/lib/text/style.ts';
import { jsonText, terminalText } from '../../../src/lib/text/terminal.ts';
import { benchReport } from '../../support/bench-report.ts';

const EVIL = 'x\u001b[2J\u009b31m\u202eevil\u2066\u200b\ufeff\u2028\nforged: integrity proven';
const RAW = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

const paper = benchReport();
const report = {
  ...paper,
  scenario: { ...paper.scenario, name: EVIL, description: EVIL, target: EVIL },
  thresholds: paper.thresholds.map((one) => ({ ...one, metric: EVIL, expr: EVIL })),
  generator: { ...paper.generator, faults: { [EVIL]: 3 } },
};

it.each([
  ['the summary', () => benchSummary(report, painter(false))],
  ['summary.md', () => benchMarkdown(report)],
  ['junit.xml', () => benchJunit(report)],
  ['report.html', () => htmlReport(report, { value: () => 1 }, { script: '', style: '' })],
  ['report.json', () => jsonText(report, 2)],
])('%s of a report from elsewhere holds no character that a terminal would obey or hide', (_name, render) => {
  expect(RAW.exec(render())?.[0]).toBeUndefined();
});

it('the summary cannot be given lines of its own', () => {
  expect(benchSummary(report, painter(false))).not.toMatch(/^forged/m);
});

it('JSON has the same value all the same', () => {
  expect(JSON.parse(jsonText(report, 2))).toEqual(JSON.parse(JSON.stringify(report)));
});

it('our own colours pass the door, others do not', () => {
  const green = painter(true).green('ok');
  expect(terminalText(`${green}\u001b[8mhidden`, true)).toBe(`${green}\\x1b[8mhidden`);
  expect(terminalText(green, false)).toBe('\\x1b[32mok\\x1b[39m');
});
