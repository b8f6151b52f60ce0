/**
 * What keeps a store from being used, in one word, and what the word means. Probes and alerts read the words; `up` alone is good.
 */
export const REDIS_CONDITIONS = {
  up: 'usable',
  down: 'cannot be reached',
  timeout: 'does not answer in time',
  refused: 'refuses this client or its commands',
  loading: 'is still loading its data',
  busy: 'is held up by a script',
  replica: 'is a replica and takes no writes',
  masterdown: 'is a replica that has lost its primary',
  noreplicas: 'has fewer replicas than it needs to take writes',
  persistence: 'cannot write to its disk and takes no writes',
} as const;

export const LEDGER_CONDITIONS = {
  up: 'usable',
  down: 'cannot be reached',
  timeout: 'does not answer in time',
  refused: 'refuses this client or its statements',
  schema: 'has no coupon tables',
  standby: 'is a standby and takes no writes',
  readonly: 'is read only',
} as const;

export type RedisCondition = keyof typeof REDIS_CONDITIONS;
export type LedgerCondition = keyof typeof LEDGER_CONDITIONS;

/** Both stores at one moment; ready is who finds both `up`. */
export interface Readiness {
  redis: RedisCondition;
  ledger: LedgerCondition;
}

export function isReady({ redis, ledger }: Readiness): boolean {
  return redis === 'up' && ledger === 'up';
}

/** What is wrong, as a sentence for people. Names no hosts: every client that reaches the port may read it. */
export function unreadyText({ redis, ledger }: Readiness): string {
  const parts = [
    ...(redis === 'up' ? [] : [`Redis ${REDIS_CONDITIONS[redis]}`]),
    ...(ledger === 'up' ? [] : [`the ledger ${LEDGER_CONDITIONS[ledger]}`]),
  ];
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
