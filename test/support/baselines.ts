import { HashMirror } from '../../src/baselines/hash-mirror.ts';
import { rdbLockAdmission } from '../../src/baselines/rdb-lock.ts';
import { threeCallsAdmission } from '../../src/baselines/three-calls.ts';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import type { Strategy } from '../../src/campaign/strategy.ts';
import type { TestStores } from './stores.ts';

/** Admission by any strategy on test stores. `flushed` waits for what a strategy does after its answers. */
export function admissionBy(strategy: Strategy, stores: TestStores): { admission: Admission; flushed: () => Promise<void> } {
  const nothing = async (): Promise<void> => undefined;
  if (strategy === 'atomic') return { admission: stores.admission, flushed: nothing };
  if (strategy === 'three-calls') return { admission: threeCallsAdmission(stores.connection, 'plain', () => Date.now()), flushed: nothing };
  const mirror = new HashMirror(stores, (error) => {
    throw error;
  });
  const admission = rdbLockAdmission({ database: stores.database, onIssued: (row) => mirror.add(row) });
  return { admission, flushed: () => mirror.flushed() };
}
