import type { Fault } from '../fault.ts';
import { clockFaults } from './clock.ts';
import { diskFaults } from './disk.ts';
import { postgresFaults } from './postgres.ts';
import { powerFaults } from './power.ts';
import { redisFaults } from './redis.ts';
import { rollbackFaults } from './rollback.ts';

/** Every kind that strikes a store itself. */
export const storeFaults: readonly Fault[] = [
  ...redisFaults,
  ...postgresFaults,
  ...diskFaults,
  ...clockFaults,
  ...powerFaults,
  ...rollbackFaults,
];
