import type { Fault } from '../fault.ts';
import { clockFaults } from './clock.ts';
import { diskFaults } from './disk.ts';
import { sentinelBehind, sentinelFailover, standbyBehind, standbyPromoted } from './failover.ts';
import { lifecycleFaults } from './lifecycle.ts';
import { linkFaults } from './link.ts';
import { operatorFaults } from './operator.ts';
import { poolerFaults } from './pooler.ts';
import { postgresFaults } from './postgres.ts';
import { powerFaults } from './power.ts';
import { processFaults } from './process.ts';
import { redisFaults } from './redis.ts';
import { rewriteFaults } from './rewrite.ts';
import { rollbackFaults } from './rollback.ts';
import { shopFaults } from './shop-trigger.ts';

/** Everything that can be inflicted, in the order of the table. */
export const allFaults: readonly Fault[] = [
  ...processFaults,
  ...redisFaults,
  ...postgresFaults,
  ...linkFaults,
  ...diskFaults,
  ...clockFaults,
  ...lifecycleFaults,
  ...rewriteFaults,
  ...operatorFaults,
  ...shopFaults,
  ...poolerFaults,
  sentinelFailover,
  standbyPromoted,
  ...powerFaults,
  ...rollbackFaults,
  sentinelBehind,
  standbyBehind,
];
