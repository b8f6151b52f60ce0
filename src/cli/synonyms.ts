import { nearest, suggestion } from '../lib/text/suggest.ts';

/** What other tools call it. A test holds that each leads to a command. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  add: 'restock',
  apply: 'edit',
  cancel: 'close',
  check: 'doctor',
  complete: 'completion',
  coupons: 'inspect',
  create: 'seed',
  csv: 'export',
  delete: 'seed ID --reset',
  diagnose: 'doctor',
  end: 'close',
  finish: 'close',
  health: 'doctor',
  history: 'log',
  import: 'adopt',
  init: 'migrate',
  issue: 'drain',
  list: 'inspect',
  live: 'top',
  load: 'bench',
  ls: 'inspect',
  monitor: 'top',
  migration: 'adopt',
  new: 'seed',
  open: 'resume',
  permissions: 'grants',
  preflight: 'doctor',
  ps: 'inspect',
  redeem: 'use',
  repair: 'audit --repair',
  reset: 'seed ID --reset',
  run: 'bench',
  schedule: 'extend',
  server: 'serve',
  settings: 'config show',
  setup: 'migrate',
  show: 'inspect',
  start: 'resume',
  stat: 'inspect',
  stats: 'inspect',
  status: 'inspect',
  stop: 'pause',
  suspend: 'pause',
  takeover: 'adopt',
  test: 'bench',
  up: 'dev up',
  users: 'inspect queue',
  verify: 'audit',
  version: '--version',
  ui: 'dashboard',
  watch: 'top',
  winners: 'export',
  web: 'dashboard',
  worker: 'drain',
};

/** The same of options: the first that the command has is meant. */
export const OPTION_SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  'batch-size': ['batch'],
  amount: ['stock', 'add', 'users'],
  begin: ['opens-at'],
  connections: ['concurrency', 'max-connections'],
  count: ['stock', 'add', 'users'],
  db: ['database-url'],
  deadline: ['closes-at'],
  end: ['closes-at'],
  'ends-at': ['closes-at'],
  every: ['interval'],
  expiry: ['expires-at'],
  finish: ['closes-at'],
  fix: ['repair'],
  limit: ['stock', 'batch'],
  number: ['users', 'stock', 'add'],
  output: ['out'],
  pg: ['database-url'],
  poll: ['interval'],
  postgres: ['database-url'],
  quantity: ['stock', 'add'],
  redis: ['redis-url'],
  requests: ['users'],
  size: ['stock', 'batch'],
  start: ['opens-at'],
  'starts-at': ['opens-at'],
  stock: ['add'],
  target: ['url'],
  threads: ['workers', 'processes'],
  total: ['stock', 'add'],
  ttl: ['valid-for'],
  tz: ['time-zone'],
  until: ['closes-at'],
  yes: ['confirm'],
};

/** The option `--stock` of a command for `--total`; undefined where nothing is near. @param options long names of the command, without dashes */
export function optionFor(written: string, options: readonly string[]): string | undefined {
  const name = written.replace(/^-+/, '').toLowerCase();
  const meant = Object.hasOwn(OPTION_SYNONYMS, name) ? OPTION_SYNONYMS[name] : undefined;
  return meant?.find((option) => options.includes(option)) ?? nearest(name, options) ?? undefined;
}

/** `; did you mean "inspect"?` for a command that there is not; empty where nothing is near. */
export function commandSuggestion(written: string, names: readonly string[]): string {
  const synonym = Object.hasOwn(SYNONYMS, written.toLowerCase()) ? SYNONYMS[written.toLowerCase()] : undefined;
  return synonym === undefined ? suggestion(written, names) : `; did you mean "${synonym}"?`;
}
