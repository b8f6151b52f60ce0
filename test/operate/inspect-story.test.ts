import { expect, it } from 'vitest';
import { storyOf } from '../../src/operate/inspect/story.ts';
import type { UserDetail } from '../../src/operate/inspect/users.ts';

const NOBODY: Omit<UserDetail, 'story'> = {
  couponId: 'sale',
  userId: 'kim',
  place: null,
  places: [],
  admitted: null,
  waiting: null,
  claim: null,
  dead: null,
  hash: null,
  occupied: null,
  ledger: null,
};
const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
const events = (user: Partial<UserDetail>): string[] => storyOf({ ...NOBODY, ...user }).map(({ event }) => event);

it('tells what became of a user in order of time', () => {
  const ledger = {
    userId: 'kim',
    requestedAt: at(1),
    issuedAt: at(2),
    expiresAt: null,
    usedAt: at(4),
    revokedAt: at(3),
    worker: 'w',
    fence: 7,
    deliveries: 2,
  };
  expect(events({ ledger, admitted: { requestedAt: at(1), requestId: 'r' } })).toEqual(['asked', 'issued', 'revoked', 'used']);
});

it('tells where a user stands who was not issued yet', () => {
  expect(events({})).toEqual([]);
  expect(events({ waiting: { position: 3, requestedAt: at(1) } })).toEqual(['asked', 'waiting']);
  expect(events({ admitted: { requestedAt: at(1), requestId: '' }, dead: 'no_bots' })).toEqual(['asked', 'dead']);
  expect(events({ userId: 'forgotten-0f6c3c1e-9f0b-4a53-8f0e-5a3f6b1f2c3d' })).toEqual(['forgotten']);
});
