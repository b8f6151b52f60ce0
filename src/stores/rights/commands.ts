/**
 * What each command does in both stores: the one table that grants and the look at the start are made of. A command that begins to use
 * another script, statement or Redis command gets it here, or it is refused for users that have no more than they were granted.
 */
import type { StatementName } from '../postgres/statements.ts';
import type { KeyRights } from '../redis/script-rights.ts';
import type { ScriptName } from '../redis/script.ts';

export interface Use {
  scripts?: readonly ScriptName[];
  /** Redis commands that are sent as they are, by the key that they are for. */
  redis?: readonly KeyRights[];
  statements?: readonly StatementName[];
  /** Tables are made and changed. */
  makesTables?: true;
}

export interface CommandUse extends Use {
  /** What an option takes besides. */
  options?: Readonly<Record<string, Use>>;
}

/** The adapters ask for the id of the server, which scripts are given. */
const SERVER: KeyRights = { none: 'info' };
/** Several replies of one instant. */
const TOGETHER: KeyRights = { none: 'multi exec' };
/** A coupon with the sizes of its keys. */
const COUPON: KeyRights = { coupon: 'hgetall', admitted: 'hlen', queue: 'zcard', leases: 'zcard', dead: 'hlen', claims: 'hlen' };
const QUEUE_TIMES: KeyRights = { queue: 'zcard zcount zrange' };
const BACKLOG: KeyRights = { queue: 'zcard', leases: 'zcard' };
const CLOCK: KeyRights = { none: 'time' };
/** A write that has nothing to do says whether others would be taken. */
const READINESS: KeyRights = { index: 'srem' };
/** All keys of a coupon and all issued ones go. */
const DROP: KeyRights = {
  coupon: 'unlink',
  queue: 'unlink',
  admitted: 'type hscan unlink',
  leases: 'unlink',
  dead: 'unlink',
  claims: 'unlink',
  life: 'unlink',
  issued: 'unlink',
  index: 'srem',
};

const LIVE: CommandUse = {
  scripts: ['read-leases'],
  redis: [SERVER, TOGETHER, COUPON, QUEUE_TIMES, CLOCK, { index: 'smembers' }],
  statements: ['find-coupons', 'recent-workers'],
};

const CHANGE: CommandUse = {
  scripts: ['change'],
  redis: [SERVER, BACKLOG, { coupon: 'hmget' }],
  statements: ['find-coupon', 'find-change', 'begin-change', 'change-coupon', 'finish-change'],
};

/** An answer waits for a replica. */
const REPLICA: Use = { redis: [{ none: 'wait' }] };

export const COMMAND_USES = {
  migrate: { makesTables: true },
  seed: {
    scripts: ['seed', 'verify', 'rewritten', 'suspect'],
    redis: [SERVER, { index: 'sadd srem' }],
    statements: ['find-coupon', 'latest-request', 'start-seeding', 'finish-seeding', 'undo-seeding'],
    options: {
      '--reset': {
        scripts: ['retire'],
        redis: [DROP],
        statements: ['ended-epochs', 'start-reset', 'page-issued', 'delete-issued', 'drop-coupon'],
      },
    },
  },
  adopt: {
    scripts: ['bind', 'take-over', 'adopt', 'ack', 'rehash', 'finish-adoption'],
    redis: [
      SERVER,
      CLOCK,
      { none: 'scan', index: 'sadd', coupon: 'type hgetall hmget', queue: 'type exists zscan', issued: 'type hgetall' },
      { admitted: 'exists', leases: 'exists', dead: 'exists', claims: 'exists' },
    ],
    statements: ['find-coupon', 'start-adopting', 'restore-issued', 'find-issued', 'finish-adopting'],
  },
  serve: {
    scripts: ['admit', 'read-refusal', 'verify', 'rewritten', 'suspect', 'read-users', 'use', 'ack'],
    redis: [
      SERVER,
      TOGETHER,
      COUPON,
      QUEUE_TIMES,
      CLOCK,
      READINESS,
      // Who was accepted, so that refusals can be told without Redis; and how far on in the queue a user is.
      { admitted: 'hscan', queue: 'zscan zrank' },
    ],
    statements: [
      'find-coupons',
      'find-coupon',
      'latest-request',
      'find-issued',
      'issued-since',
      'use-issued',
      'explain-use',
      'ledger-condition',
    ],
    options: { '--accepted-means': REPLICA },
  },
  submit: {
    scripts: ['admit', 'verify', 'rewritten', 'suspect'],
    redis: [SERVER],
    statements: ['find-coupon', 'latest-request'],
    options: { '--accepted-means': REPLICA },
  },
  drain: {
    scripts: ['claim', 'ack', 'release', 'bury', 'verify', 'rewritten', 'suspect'],
    redis: [SERVER, BACKLOG],
    statements: ['find-coupons', 'find-coupon', 'latest-request', 'issue', 'issue-first', 'is-same-life', 'find-issued'],
    options: {
      '--scan': { redis: [{ none: 'scan' }] },
      '--accepted-means': REPLICA,
      '--health-port': { redis: [TOGETHER, COUPON, QUEUE_TIMES, CLOCK, READINESS], statements: ['ledger-condition'] },
    },
  },
  pause: CHANGE,
  resume: CHANGE,
  restock: CHANGE,
  extend: CHANGE,
  close: CHANGE,
  rename: CHANGE,
  edit: CHANGE,
  forget: {
    scripts: ['forget', 'ack', 'read-users'],
    redis: [SERVER, BACKLOG, { coupon: 'hmget' }],
    statements: [
      'find-coupons',
      'find-issued',
      'find-change',
      'begin-change',
      'end-claims',
      'rename-issued',
      'redact-log',
      'finish-change',
    ],
  },
  revoke: {
    scripts: ['change', 'ack'],
    redis: [SERVER, BACKLOG, { coupon: 'hmget' }],
    statements: ['find-coupon', 'find-issued', 'find-change', 'begin-change', 'revoke-issued', 'finish-change'],
  },
  log: { statements: ['page-changes'] },
  'dead list': { scripts: ['read-users'], redis: [SERVER, { dead: 'hscan' }], statements: ['find-coupon'] },
  'dead retry': { scripts: ['retry'], redis: [SERVER, { dead: 'hscan' }], statements: ['find-coupon'] },
  'dead drop': { scripts: ['drop'], redis: [SERVER, { dead: 'hscan' }], statements: ['find-coupon', 'find-issued'] },
  use: {
    scripts: ['use', 'ack'],
    redis: [SERVER],
    statements: ['use-issued', 'explain-use', 'find-coupon', 'find-issued'],
  },
  doctor: { redis: [{ none: 'info time' }], statements: ['server-settings'] },
  completion: { statements: ['complete-ids'] },
  export: { statements: ['find-coupon', 'page-issued', 'ledger-time', 'note-export'] },
  purge: {
    scripts: ['retire'],
    redis: [SERVER, TOGETHER, COUPON, CLOCK, DROP],
    statements: [
      'find-coupon',
      'find-change',
      'find-purge',
      'count-issued',
      'is-exported',
      'begin-change',
      'start-reset',
      'page-issued',
      'delete-issued',
      'drop-coupon',
      'finish-change',
    ],
  },
  inspect: {
    scripts: ['read-users'],
    redis: [SERVER, TOGETHER, COUPON, QUEUE_TIMES, CLOCK, { index: 'smembers', queue: 'zrank' }],
    statements: ['find-coupons', 'find-coupon', 'issued-since', 'page-issued', 'find-issued'],
  },
  top: LIVE,
  dashboard: LIVE,
  audit: {
    scripts: ['read-users', 'compare-rows'],
    redis: [
      SERVER,
      TOGETHER,
      COUPON,
      CLOCK,
      { index: 'smembers', admitted: 'hscan', queue: 'zrange', leases: 'zscan', dead: 'hscan', claims: 'hscan' },
    ],
    statements: ['find-coupons', 'find-coupon', 'page-briefs', 'find-issued', 'count-issued'],
    options: {
      '--scan': { redis: [{ none: 'scan' }] },
      '--repair': {
        scripts: ['suspect', 'bind', 'adopt', 'requeue', 'rehash', 'evict-excess', 'restore', 'ack'],
        redis: [DROP, { index: 'sadd', life: 'type get', queue: 'zscan' }],
        statements: [
          'find-change',
          'ended-epochs',
          'set-missing',
          'restore-issued',
          'record-use',
          'record-revocation',
          'lock-coupon',
          'recount',
          'latest-request',
        ],
      },
    },
  },
  // Nothing is written, and no script is run: an endpoint is measured by somebody who may only read.
  'bench --url': {
    redis: [
      COUPON,
      {
        admitted: 'hscan hmget',
        queue: 'zscan zmscore',
        leases: 'zscan zmscore',
        dead: 'hscan hmget',
        claims: 'hmget',
        issued: 'hgetall type',
      },
    ],
    statements: ['find-coupon', 'page-issued'],
  },
} as const satisfies Record<string, CommandUse>;
