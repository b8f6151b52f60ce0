import { expect, test } from 'vitest';
import { OPERATIONS } from '../operators/operations.ts';
import { operateOnCluster } from './operators.ts';

const LONG = 300_000;

test(
  'on a Redis Cluster, too, a user is forgotten by a command that is killed and run again, with a switch-over in between',
  async () => {
    expect(
      await operateOnCluster(
        OPERATIONS.filter(({ kind }) => kind === 'forget-killed'),
        1,
      ),
    ).toEqual([]);
  },
  LONG,
);
