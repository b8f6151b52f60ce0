import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { boundText, keepsBound, type Figure } from './figures.ts';

/** What the figures were taken on: they are ratios, but no machine has the same ones. */
export function machine(): Record<string, string | number> {
  const processors = cpus();
  return {
    processors: processors.length,
    model: processors[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  };
}

export function line(figure: Figure): string {
  const verdict = figure.bound ? (keepsBound(figure) ? 'ok  ' : 'FAIL') : '    ';
  const bound = figure.bound ? `${boundText(figure)}; ` : '';
  return `${verdict} ${figure.name} = ${figure.value.toFixed(3)} (${bound}${figure.detail})`;
}

export function writeJson(path: string, effort: string, figures: readonly Figure[]): void {
  const all = figures.map((figure) => ({ ...figure, ok: keepsBound(figure) }));
  writeFileSync(path, `${JSON.stringify({ takenAt: new Date().toISOString(), effort, machine: machine(), figures: all }, null, 2)}\n`);
}

const BEGIN = '<!-- speed: begin, written by `npm run perf -- --docs` -->';
const END = '<!-- speed: end -->';

/** What a reader wants to know first; `perf.json` has all. */
const SHOWN = [
  'endpoint-accepted-storeless',
  'endpoint-accepted-three-calls',
  'endpoint-accepted-rdb-lock',
  'endpoint-sold_out-storeless',
  'drain-flat-1000',
  'drain-bare-100',
  'drain-bare-1000',
  'fsync-always',
];

/** Replaces the table between the two marks. @throws Error when the page has no marks */
export function writeTable(path: string, figures: readonly Figure[]): void {
  const page = readFileSync(path, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${path} has no place for the table of speeds`);
  const rows = figures.filter(({ id }) => SHOWN.includes(id)).map((figure) => [figure.name, figure.value.toFixed(2), boundText(figure)]);
  const { processors, model, node } = machine();
  const lines = [
    `Medians of one run on ${processors} cores (${model}), Node ${node}, load, servers and stores on the same machine:`,
    '',
    '| Figure | Value | Bound |',
    '| --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
  writeFileSync(path, `${page.slice(0, begin)}${BEGIN}\n\n${lines.join('\n')}\n\n${page.slice(end)}`);
}
