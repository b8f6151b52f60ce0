import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rig } from '../fault.ts';
import { seededRandom } from '../random.ts';
import { openSession, type Session } from '../session.ts';
import { killAndRunAgain, killInTheMiddle } from './killed.ts';
import { carryOut, OPERATIONS } from './operations.ts';

const LONG = 180_000;

let session: Session<'plain'>;
let rig: Rig;
beforeAll(async () => {
  session = await openSession('plain');
  rig = session.rig;
  rig.couponId = 'operated';
});
afterAll(() => session[Symbol.asyncDispose]());

const operation = (kind: string) => OPERATIONS.find((one) => one.kind === kind)!;

test(
  'every command that is killed at a random moment is finished by running it again, and counts once',
  async () => {
    let unfinished = 0;
    const counted: typeof killAndRunAgain = async (stores, command, random) => {
      if (await killInTheMiddle(stores, command, random)) unfinished += 1;
      await killAndRunAgain(stores, command, random);
    };
    const looks = await Promise.all(
      OPERATIONS.map(async (one, index) => {
        const look = await carryOut(one, rig, seededRandom(index), counted);
        return { kind: one.kind, look };
      }),
    );
    const broken: string[] = [];
    for (const { kind, look } of looks) broken.push(...(await look()).map((line) => `${kind}: ${line}`));
    expect(broken, session.lastWords()).toEqual([]);
    // Not only before or after the change.
    expect(unfinished).toBeGreaterThan(OPERATIONS.length / 2);
  },
  LONG,
);

test(
  'a command that is killed and not run again is found',
  async () => {
    const random = seededRandom(1);
    const killed: typeof killAndRunAgain = async (stores, command) => {
      while (!(await killInTheMiddle(stores, command, random))) await stores.command(['purge', command.couponId, '--dry-run']);
    };
    const look = await carryOut({ ...operation('extend-killed'), operate: async (coupon, operate) => {
      await coupon.askUntilAccepted(['ann']);
      await operate('extend', coupon.id, '--closes-at', new Date(Date.now() + 3_600_000).toISOString());
      return { total: 40, state: 'open', changes: { extend: 1 } };
    } }, rig, random, killed);
    expect((await look()).join('\n')).toMatch(/extend \(unfinished\)/);
  },
  LONG,
);

test(
  'a restock that is run again under another id counts twice, and is found',
  async () => {
    const twice: typeof killAndRunAgain = async ({ command }, { argv }) => {
      await command(argv);
      await command(argv.slice(0, -2));
    };
    const look = await carryOut(operation('restock-killed'), rig, seededRandom(2), twice);
    expect((await look()).join('\n')).toMatch(/the total of the ledger is 80, not 60/);
  },
  LONG,
);
