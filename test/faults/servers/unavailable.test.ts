import { expect, it } from 'vitest';
import type { Rig } from '../fault.ts';
import { storeFaults } from '../kinds/stores.ts';

/** What each kind says on a machine where the stores lack this. */
const reasons = (redis: { withoutShims: string | null; smallDisk: boolean }): Record<string, string | null> => {
  const rig = { redis, postgres: redis } as unknown as Rig;
  return Object.fromEntries(
    storeFaults.map((fault) => [fault.kind, fault.unavailable(rig)] as const).filter(([, reason]) => reason !== null),
  );
};

it('every kind of fault that strikes a store has a name of its own', () => {
  expect(new Set(storeFaults.map((fault) => fault.kind)).size).toBe(storeFaults.length);
});

it('all kinds can be tried where there is a compiler and disks can be mounted', () => {
  expect(reasons({ withoutShims: null, smallDisk: true })).toEqual({});
});

it('kinds that need a compiler, or a disk that can be filled, say so where there is none', () => {
  const missing = 'there is no C compiler';
  expect(reasons({ withoutShims: missing, smallDisk: false })).toEqual({
    'slow-fsync': missing,
    'clock-jump': missing,
    'power-loss': missing,
    'power-loss-everysec': missing,
    'disk-full': 'this user may not mount a small disk',
  });
});
