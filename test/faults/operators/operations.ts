/** What an operator does to a coupon, each command killed at a random moment and run again, and what must have become of it. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random, StoresUnderLoad } from '../fault.ts';
import { idsOf } from '../third-coupon.ts';
import { leftovers, settled } from '../third-coupon-looks.ts';
import { adoptKilled } from './adopt-killed.ts';
import { killAndRunAgain } from './killed.ts';
import { changesOf, openOperated, operatedLooks, TOTAL, type Expected, type Operated } from './operated.ts';

/** Runs a command on the coupon: killed, and run again. One that adopts is on the coupon that it names. */
export type Operate = (...argv: string[]) => Promise<void>;

export interface Operation {
  kind: string;
  meaning: string;
  /** @returns what must hold from then on; or a look, where that is not about a coupon which is still there */
  operate(coupon: Operated, operate: Operate, stores: StoresUnderLoad): Promise<Expected | (() => Promise<string[]>)>;
}

const FIRST = idsOf('first', TOTAL / 2);
const MORE = idsOf('more', TOTAL);
const DAY_MS = 24 * 3_600_000;

export const OPERATIONS: readonly Operation[] = [
  {
    kind: 'pause-killed',
    meaning: '`pause`, then `resume`, each killed at a random moment and run again',
    async operate(coupon, operate) {
      await coupon.askUntilAccepted(FIRST);
      await operate('pause', coupon.id);
      const wrong = await coupon.ask(idsOf('early', 3));
      if (wrong.length > 0) throw new Error(`${coupon.id} is paused, and ${wrong.length} users were accepted`);
      await operate('resume', coupon.id);
      await coupon.askUntilAccepted(idsOf('late', 3));
      return { total: TOTAL, state: 'open', changes: { pause: 1, resume: 1 } };
    },
  },
  {
    kind: 'extend-killed',
    meaning: '`extend` of the window and of the expiry, killed and run again',
    async operate(coupon, operate) {
      const asking = coupon.askUntilAccepted(FIRST);
      await operate('extend', coupon.id, '--closes-at', new Date(Date.now() + DAY_MS).toISOString());
      await operate('extend', coupon.id, '--expires-at', new Date(Date.now() + 2 * DAY_MS).toISOString());
      await asking;
      return { total: TOTAL, state: 'open', changes: { extend: 2 } };
    },
  },
  {
    kind: 'rename-killed',
    meaning: '`rename` while users ask, killed and run again: both stores have the new name',
    async operate(coupon, operate) {
      const asking = coupon.askUntilAccepted(FIRST);
      await operate('rename', coupon.id, '--name', 'Renamed');
      await asking;
      return { total: TOTAL, state: 'open', name: 'Renamed', changes: { rename: 1 } };
    },
  },
  {
    kind: 'edit-killed',
    meaning: '`edit` of name and window by a file, killed and run again: both stores have what the file says',
    async operate(coupon, operate) {
      const closesAt = new Date(Date.now() + 3 * DAY_MS);
      const folder = mkdtempSync(join(tmpdir(), 'coupon-cli-edit-'));
      const file = join(folder, 'event.json');
      writeFileSync(file, JSON.stringify({ coupons: [{ id: coupon.id, name: 'Edited', total: TOTAL, closesAt: closesAt.toISOString() }] }));
      try {
        const asking = coupon.askUntilAccepted(FIRST);
        await operate('edit', coupon.id, '--file', file, '--confirm');
        await asking;
      } finally {
        rmSync(folder, { recursive: true });
      }
      return { total: TOTAL, state: 'open', name: 'Edited', closesAt, changes: { edit: 1 } };
    },
  },
  adoptKilled,
  {
    kind: 'restock-killed',
    meaning: '`restock` of a coupon that is sold out, killed and run again under its id: it counts once',
    async operate(coupon, operate) {
      await coupon.sellOut([...FIRST, ...MORE]);
      const add = TOTAL / 2;
      await operate('restock', coupon.id, '--add', String(add), '--op-id', randomUUID());
      await coupon.sellOut(idsOf('again', TOTAL));
      return { total: TOTAL + add, state: 'open', changes: { restock: 1 } };
    },
  },
  {
    kind: 'revoke-killed',
    meaning: '`revoke`, and `revoke --return-stock`, killed and run again: one coupon goes back, and to one other user',
    async operate(coupon, operate, stores) {
      await coupon.sellOut([...FIRST, ...MORE]);
      await settled(stores, coupon.id);
      const [kept, given] = (await stores.sql('SELECT user_id FROM issued_coupons WHERE coupon_id = $1 LIMIT 2', [coupon.id])).map((row) =>
        String(row['user_id']),
      );
      await operate('revoke', coupon.id, kept!, '--reason', 'taken back');
      await operate('revoke', coupon.id, given!, '--reason', 'by mistake', '--return-stock');
      await coupon.sellOut(idsOf('again', 10));
      return { total: TOTAL, returned: 1, state: 'open', changes: { revoke: 2 } };
    },
  },
  {
    kind: 'forget-killed',
    meaning: '`forget` of a user who has a coupon and of one who waits, killed and run again: no trace is left, and no other user is lost',
    async operate(coupon, operate, stores) {
      await coupon.askUntilAccepted(FIRST);
      await settled(stores, coupon.id);
      const [issued, waiting] = [`${coupon.id}-anna`, `${coupon.id}-kim`];
      await coupon.askUntilAccepted([issued]);
      await settled(stores, coupon.id);
      await operate('forget', issued, '--confirm');
      await coupon.askUntilAccepted([waiting]);
      await operate('forget', waiting, '--confirm');
      return { total: TOTAL, state: 'open', changes: { forget: 2 }, forgotten: [issued, waiting] };
    },
  },
  {
    kind: 'close-killed',
    meaning:
      '`close --force` while users wait, killed and run again: every accepted user gets a coupon, and no further request is accepted',
    async operate(coupon, operate) {
      await coupon.askUntilAccepted(FIRST);
      await operate('close', coupon.id, '--force');
      const wrong = await coupon.ask(idsOf('late', 3));
      if (wrong.length > 0) throw new Error(`${coupon.id} is closed, and ${wrong.length} users were accepted`);
      return { total: TOTAL, state: 'closed', changes: { close: 1 } };
    },
  },
  {
    kind: 'purge-killed',
    meaning: '`purge` of a coupon that is closed, killed and run again: nothing of it is left but the log',
    async operate(coupon, operate, stores) {
      await coupon.askUntilAccepted(FIRST);
      await operate('close', coupon.id, '--force');
      await settled(stores, coupon.id);
      await operate('purge', coupon.id, `--confirm=${coupon.id}`, '--force');
      return async () => {
        const left = await leftovers(stores, coupon.id, FIRST);
        if ((await stores.reader.coupon(coupon.id)) || (await stores.ledger.coupon(coupon.id))) left.push(`${coupon.id} is still there`);
        const log = JSON.stringify(await changesOf(stores, coupon.id));
        return log === '{"close":1,"purge":1}' ? left : [...left, `${coupon.id}: changes in the log are ${log}`];
      };
    },
  },
];

/** Does it, on a coupon of its own. @returns a look for once the campaign is over: what was broken, a line each */
export async function carryOut(
  { operate }: Operation,
  stores: StoresUnderLoad,
  random: Random,
  killed: typeof killAndRunAgain = killAndRunAgain,
): Promise<() => Promise<string[]>> {
  const coupon = await openOperated(stores, random);
  try {
    const expected = await operate(
      coupon,
      (...argv) => killed(stores, { couponId: argv[0] === 'adopt' ? argv[1]! : coupon.id, argv }, random),
      stores,
    );
    return typeof expected === 'function' ? expected : () => operatedLooks(stores, coupon, expected);
  } finally {
    coupon.close();
  }
}
