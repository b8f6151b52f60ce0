import { suggestion } from '../lib/text/suggest.ts';

/** What other tools call it. A test holds that each leads to a command. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  add: 'restock',
  apply: 'edit',
  cancel: 'close',
  check: 'doctor',
  complete: 'completion',
  create: 'seed',
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
  permissions: 'grants',
  preflight: 'doctor',
  ps: 'inspect',
  redeem: 'use',
  repair: 'audit --repair',
  reset: 'seed ID --reset',
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
  verify: 'audit',
  version: '--version',
  ui: 'dashboard',
  watch: 'top',
  web: 'dashboard',
  worker: 'drain',
};

/** `; did you mean "inspect"?` for a command that there is not; empty where nothing is near. */
export function commandSuggestion(written: string, names: readonly string[]): string {
  const synonym = Object.hasOwn(SYNONYMS, written.toLowerCase()) ? SYNONYMS[written.toLowerCase()] : undefined;
  return synonym === undefined ? suggestion(written, names) : `; did you mean "${synonym}"?`;
}
