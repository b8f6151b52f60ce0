/** What was tried, as Markdown for docs/faults.md. */
import type { Fault } from './fault.ts';
import type { Machine } from './machine.ts';
import type { CampaignResult } from './result.ts';

export interface Tried {
  seeds: readonly { seed: number; campaigns: readonly CampaignResult[] }[];
  notRun: readonly { kind: string; reason: string }[];
  machine: Machine;
}

export type Described = Pick<Fault, 'kind' | 'meaning' | 'harmless'>;

/** Kinds that were neither tried nor found impossible have no row. */
export function tableOf(faults: readonly Described[], tried: Tried): string {
  const parts = [
    section(
      'Harmless to what the stores had acknowledged: everything is kept.',
      HARMLESS,
      faults.filter(({ harmless }) => harmless),
      tried,
    ),
    section(
      'Destructive: acknowledged data is gone.',
      DESTRUCTIVE,
      faults.filter(({ harmless }) => !harmless),
      tried,
    ),
    closing(tried),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

interface Column {
  title: string;
  cell(of: CampaignResult[], kind: string): string;
}

const sum =
  (figure: (campaign: CampaignResult) => number) =>
  (of: readonly CampaignResult[]): string =>
    of.reduce((total, campaign) => total + figure(campaign), 0).toLocaleString('en-US');

const COMMON: Column[] = [
  { title: 'Times', cell: (of, kind) => sum(({ inflicted }) => inflicted.filter((fault) => fault.kind === kind).length)(of) },
  { title: 'Accepted', cell: sum(({ counts }) => counts.accepted) },
];
const BOTH: Column[] = [
  { title: 'Lost', cell: sum(({ counts }) => counts.lost) },
  { title: 'Twice', cell: sum(({ counts }) => counts.duplicates) },
  { title: 'Over-issued', cell: sum(({ counts }) => counts.overIssued) },
];
const VERDICT: Column = {
  title: 'Kept',
  cell: (of) => (of.every(({ broken }) => broken.length === 0) ? '✔' : `✘ in ${of.filter(({ broken }) => broken.length > 0).length}`),
};
const HARMLESS: Column[] = [...COMMON, ...BOTH, { title: 'Out of turn', cell: sum(({ counts }) => counts.inversions) }, VERDICT];
const DESTRUCTIVE: Column[] = [
  ...COMMON,
  { title: 'Destroyed', cell: sum(({ loss }) => loss?.destroyed ?? 0) },
  ...BOTH,
  { title: 'Noticed', cell: (of) => [...new Set(of.map(({ loss }) => loss?.noticed ?? 'nothing to see'))].toSorted().join(', ') },
  { ...VERDICT, title: 'Repaired' },
];

function section(title: string, columns: readonly Column[], faults: readonly Described[], tried: Tried): string {
  const campaigns = tried.seeds.flatMap((seed) => seed.campaigns);
  const rows = faults.flatMap(({ kind, meaning }) => {
    const missing = tried.notRun.find((other) => other.kind === kind);
    const of = campaigns.filter(({ inflicted }) => inflicted.some((fault) => fault.kind === kind));
    if (missing) return [row([`\`${kind}\``, escape(meaning), `not run: ${escape(missing.reason)}`, ...columns.slice(1).map(() => '')])];
    return of.length === 0 ? [] : [row([`\`${kind}\``, escape(meaning), ...columns.map(({ cell }) => cell(of, kind))])];
  });
  if (rows.length === 0) return '';
  const head = ['Kind', 'What happens', ...columns.map((column) => column.title)];
  return [title, '', row(head), row(['---', '---', ...columns.map(() => '--:')]), ...rows].join('\n');
}

function closing({ seeds, machine }: Tried): string {
  const campaigns = seeds.flatMap((seed) => seed.campaigns);
  const faults = sum(({ inflicted }) => inflicted.length)(campaigns);
  const accepted = sum(({ counts }) => counts.accepted)(campaigns);
  const { cores, node, redis, postgres } = machine;
  return (
    `${faults} faults in ${campaigns.length} campaigns with ${accepted} accepted users; a campaign counts for each kind that it had. ` +
    `Seeds ${seeds.map(({ seed }) => seed).join(', ')}; ${cores} cores, ${node}, ${redis}, ${postgres}.`
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|');
}
