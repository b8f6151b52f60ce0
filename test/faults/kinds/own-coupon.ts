import { until } from '../../support/until.ts';
import type { Random, Rig } from '../fault.ts';

/** A coupon beside the campaign's, which may be sold out by now, for a fault that needs workers at work. */
export interface OwnCoupon {
  id: string;
  users: readonly string[];
  /** All of its users ask for it, and are accepted. */
  submit(): Promise<void>;
}

const USERS = 20;

/** Seeds it. Once the campaign is over, everyone who was accepted must have one. */
export async function seedOwnCoupon(rig: Rig, random: Random): Promise<OwnCoupon> {
  const id = `${rig.couponId}-y${random.int(0, 0xff_ffff).toString(36)}`;
  const users = Array.from({ length: USERS }, (_, index) => `user-${index + 1}`);
  const run = async (argv: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await rig.command(argv);
    if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}`);
  };
  await run(['seed', id, '--name', 'Own', '--stock', String(USERS)]);
  return {
    id,
    users,
    async submit() {
      await run(['submit', id, '--users', String(USERS)]);
      rig.afterwards(async () => {
        await until(async () => {
          const coupon = await rig.reader.coupon(id);
          return coupon !== null && coupon.waiting + coupon.claimed === 0;
        });
        const issued = new Set((await rig.ledger.rows(id, users)).map((row) => row.userId));
        return users.filter((user) => !issued.has(user)).map((user) => `${id}: ${user} was accepted and has no coupon`);
      });
    },
  };
}
