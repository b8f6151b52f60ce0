import type { Configure } from '../command.ts';

export interface CommandEntry {
  name: string;
  summary: string;
  group: string;
  load: () => Promise<{ configure: Configure }>;
}

const SETUP = 'Set up:';
const RUN = 'Run a campaign:';
const CHANGE = 'Change a campaign:';
const WATCH = 'Watch and prove:';
const REHEARSE = 'Rehearse:';

/** Static, so that `--help` lists all commands without loading one. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'dev', summary: 'a real Redis and PostgreSQL for trying out', group: SETUP, load: () => import('./dev.ts') },
  { name: 'migrate', summary: 'bring the database schema up to date', group: SETUP, load: () => import('./migrate.ts') },
  { name: 'grants', summary: 'print the rights that each command needs in both stores', group: SETUP, load: () => import('./grants.ts') },
  { name: 'seed', summary: 'set a coupon up in both stores', group: SETUP, load: () => import('./seed.ts') },
  {
    name: 'adopt',
    summary: 'take over a coupon that another service has begun in Redis',
    group: SETUP,
    load: () => import('./adopt.ts'),
  },
  { name: 'config', summary: 'show every setting and where it comes from', group: SETUP, load: () => import('./config.ts') },
  {
    name: 'doctor',
    summary: 'look whether stores and machine are fit for an event',
    group: SETUP,
    load: () => import('./doctor/doctor.ts'),
  },
  {
    name: 'completion',
    summary: 'let your shell complete commands and coupon ids',
    group: SETUP,
    load: () => import('./completion/completion.ts'),
  },
  { name: 'serve', summary: 'take requests over HTTP', group: RUN, load: () => import('./serve/serve.ts') },
  { name: 'drain', summary: 'issue coupons to the users who wait', group: RUN, load: () => import('./drain/drain.ts') },
  {
    name: 'pause',
    summary: 'take no requests for a while',
    group: CHANGE,
    load: async () => ({ configure: (await import('./change.ts')).configurePause }),
  },
  {
    name: 'resume',
    summary: 'take requests again',
    group: CHANGE,
    load: async () => ({ configure: (await import('./change.ts')).configureResume }),
  },
  {
    name: 'restock',
    summary: 'add coupons, also in the middle of a sale',
    group: CHANGE,
    load: async () => ({ configure: (await import('./change.ts')).configureRestock }),
  },
  {
    name: 'extend',
    summary: 'change when a coupon opens, closes or expires',
    group: CHANGE,
    load: async () => ({ configure: (await import('./change.ts')).configureExtend }),
  },
  {
    name: 'rename',
    summary: 'change the name of a coupon',
    group: CHANGE,
    load: async () => ({ configure: (await import('./change.ts')).configureRename }),
  },
  { name: 'edit', summary: 'bring coupons to what an event file says', group: CHANGE, load: () => import('./edit.ts') },
  {
    name: 'close',
    summary: 'take no requests any more',
    group: CHANGE,
    load: async () => ({ configure: (await import('./change.ts')).configureClose }),
  },
  { name: 'revoke', summary: 'take an issued coupon back', group: CHANGE, load: () => import('./remove/revoke.ts') },
  {
    name: 'forget',
    summary: 'replace a user by a tombstone everywhere',
    group: CHANGE,
    load: () => import('./remove/forget.ts'),
  },
  { name: 'log', summary: 'show who changed what, and when', group: CHANGE, load: () => import('./log.ts') },
  { name: 'export', summary: 'write the issued coupons to a file', group: WATCH, load: () => import('./export.ts') },
  { name: 'purge', summary: 'remove a closed coupon for good', group: CHANGE, load: () => import('./remove/purge.ts') },
  { name: 'dead', summary: 'decide about dead-lettered users', group: RUN, load: () => import('./dead.ts') },
  { name: 'use', summary: 'mark an issued coupon as used', group: RUN, load: () => import('./use.ts') },
  { name: 'inspect', summary: 'show coupons, queues, issued coupons, users', group: WATCH, load: () => import('./inspect.ts') },
  { name: 'top', summary: 'watch all campaigns in the terminal', group: WATCH, load: () => import('./live/top.ts') },
  { name: 'dashboard', summary: 'watch all campaigns in a browser', group: WATCH, load: () => import('./live/dashboard.ts') },
  { name: 'audit', summary: 'prove that both stores agree, user by user', group: WATCH, load: () => import('./audit.ts') },
  { name: 'submit', summary: 'send simulated requests', group: REHEARSE, load: () => import('./submit.ts') },
  { name: 'bench', summary: 'load-test an endpoint and prove the result', group: REHEARSE, load: () => import('./bench/bench.ts') },
  { name: 'demo', summary: 'see a whole flash sale happen and be proven', group: REHEARSE, load: () => import('./demo.ts') },
  { name: 'help', summary: 'show the help of a command', group: 'Help:', load: () => import('./help.ts') },
];
