/** A server dies, and another one takes its place under another address. */
import { setTimeout as delay } from 'node:timers/promises';
import type { DestructiveFault, HarmlessFault, Rig } from '../fault.ts';

/** How long the one that takes over gets nothing: enough to be lost, and less than sentinels mind. */
const BEHIND_MS = { min: 1_000, max: 2_500 };

const withoutStandby = ({ postgres }: Pick<Rig, 'postgres'>): string | null => postgres.withoutStandby;

export const sentinelFailover: HarmlessFault<'sentinel'> = {
  kind: 'sentinel-failover',
  meaning: 'the primary of Redis is killed under `--accepted-means replica`; sentinels promote its replica, which may be behind',
  on: 'sentinel',
  harmless: true,
  unavailable: () => null,
  async inflict({ watched }, random) {
    if (random.next() < 0.5) {
      await watched.failOver();
    } else {
      const strike = await watched.fallBehind();
      await delay(random.int(BEHIND_MS.min, BEHIND_MS.max));
      await strike();
    }
    await watched.rejoin();
  },
};

export const sentinelBehind: DestructiveFault<'sentinel-disk'> = {
  kind: 'sentinel-failover-disk',
  meaning: 'the same under `--accepted-means disk`, and the replica has missed what came last',
  on: 'sentinel-disk',
  harmless: false,
  unavailable: () => null,
  async prepare({ watched }, random) {
    const strike = await watched.fallBehind();
    await delay(random.int(BEHIND_MS.min, BEHIND_MS.max));
    return async () => {
      await strike();
      await watched.rejoin();
    };
  },
};

export const standbyPromoted: HarmlessFault<'standby'> = {
  kind: 'standby-promoted',
  meaning: 'the primary of PostgreSQL is killed, and its synchronous standby promoted (`target_session_attrs=read-write`)',
  on: 'standby',
  harmless: true,
  unavailable: withoutStandby,
  async inflict({ pair }) {
    await pair.failOver();
    await pair.rejoin();
  },
};

export const standbyBehind: DestructiveFault<'standby'> = {
  kind: 'standby-behind',
  meaning: 'a standby that commits did not wait for, and that has missed what came last, is promoted',
  on: 'standby',
  harmless: false,
  unavailable: withoutStandby,
  async prepare({ pair }, random) {
    await pair.partStandby();
    await delay(random.int(BEHIND_MS.min, BEHIND_MS.max));
    return async () => {
      await pair.failOver();
      await pair.rejoin();
    };
  },
};
