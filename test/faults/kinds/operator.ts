import type { HarmlessFault } from '../fault.ts';
import { carryOut, OPERATIONS } from '../operators/operations.ts';

/** Commands of an operator that are killed at a random moment and run again. */
export const operatorFaults: readonly HarmlessFault[] = OPERATIONS.map((operation) => ({
  kind: operation.kind,
  meaning: operation.meaning,
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  async inflict(rig, random) {
    rig.afterwards(await carryOut(operation, rig, random));
  },
}));
