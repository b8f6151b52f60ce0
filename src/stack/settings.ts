/** How the stack's servers are set up, in whichever way they are run. */

/**
 * Settings of every Redis that the stack starts. `appendfsync always` is what lets an accepted request survive a crash; commands that
 * arrive together share one fsync. `noeviction`, because an evicted key would be a lost coupon.
 */
export const REDIS_SETTINGS = [
  'databases 64',
  'appendonly yes',
  'appendfsync always',
  'save ""',
  'maxmemory-policy noeviction',
  'tcp-backlog 511',
  'daemonize no',
  'always-show-logo no',
];

/**
 * Settings of every PostgreSQL that the stack starts. The first two are defaults; they are said because the promises rest on them. PostgreSQL 13
 * would keep passwords in a form with which nobody gets past the stack's pg_hba.conf.
 */
export const POSTGRES_SETTINGS = [
  'fsync=on',
  'synchronous_commit=on',
  'max_connections=120',
  'timezone=UTC',
  'password_encryption=scram-sha-256',
];

/** The owner of everything; tests and migrations create databases. */
export const POSTGRES_USER = 'coupon';
export const POSTGRES_DATABASE = 'coupon';
