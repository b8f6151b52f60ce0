import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rig } from '../fault.ts';
import { seededRandom } from '../random.ts';
import { openSession, type Session } from '../session.ts';
import { killInTheMiddle, runAgain, type killAndRunAgain } from './killed.ts';
import { TOTAL } from './operated.ts';
import { carryOut, OPERATIONS, type Operation } from './operations.ts';

const LONG = 180_000;
const DAY_MS = 24 * 3_600_000;

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
      await runAgain(stores, command);
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
    expect(unfinished).toBeGreaterThan(0);
  },
  LONG,
);

test(
  'a command that is killed and not run again is found',
  async () => {
    const random = seededRandom(101);
    // As the last one of many that were killed: this one in the middle, whenever that was.
    let changes = 0;
    const interrupted: Operation = {
      ...operation('extend-killed'),
      async operate(coupon, operate) {
        do {
          await operate('extend', coupon.id, '--closes-at', new Date(Date.now() + DAY_MS + (changes += 1)).toISOString());
        } while (!isLeft());
        return { total: TOTAL, state: 'open', changes: { extend: changes } };
      },
    };
    let left = false;
    const isLeft = (): boolean => left;
    const killed: typeof killAndRunAgain = async (stores, command) => {
      left = await killInTheMiddle(stores, command, random);
    };
    const look = await carryOut(interrupted, rig, random, killed);
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
    const look = await carryOut(operation('restock-killed'), rig, seededRandom(102), twice);
    expect((await look()).join('\n')).toMatch(/the total of the ledger is 80, not 60/);
  },
  LONG,
);
