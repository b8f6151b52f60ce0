import { until } from '../../support/until.ts';
import type { HarmlessFault, Random, Rig } from '../fault.ts';

const USERS = 20;
const BANNED = 'user-7';

/** A rule of the shop's own: RAISE EXCEPTION has SQLSTATE P0001 unless it says otherwise. */
async function addTrigger({ sql }: Rig, couponId: string, random: Random): Promise<() => Promise<void>> {
  const name = `shop_${random.int(0, 0xff_ffff).toString(36)}`;
  const state = random.pick(['', ` USING ERRCODE = '23514'`, ` USING ERRCODE = 'XX000'`]);
  await sql(`CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
    IF new.user_id = '${BANNED}' THEN RAISE EXCEPTION 'user is banned'${state}; END IF; RETURN new; END $f$`);
  await sql(`CREATE TRIGGER ${name} BEFORE INSERT ON issued_coupons FOR EACH ROW
    WHEN (new.coupon_id = '${couponId}') EXECUTE FUNCTION ${name}()`);
  return async () => void (await sql(`DROP TRIGGER ${name} ON issued_coupons; DROP FUNCTION ${name}()`));
}

export const shopFaults: readonly HarmlessFault[] = [
  {
    kind: 'shop-trigger',
    meaning: 'a trigger of the shop refuses one user: that user is dead-lettered, all others of every coupon are issued',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict(rig, random) {
      const id = `${rig.couponId}-t${random.int(0, 0xff_ffff).toString(36)}`;
      const run = async (argv: readonly string[]): Promise<void> => {
        const { exitCode, stderr } = await rig.command(argv);
        if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}`);
      };
      await run(['seed', id, '--name', 'Shop', '--stock', String(USERS)]);
      const dropTrigger = await addTrigger(rig, id, random);
      await run(['submit', id, '--users', String(USERS)]);
      const users = Array.from({ length: USERS }, (_, index) => `user-${index + 1}`);
      rig.afterwards(async () => {
        await until(async () => (await rig.ledger.rows(id, users)).length === USERS - 1 && (await rig.reader.coupon(id))?.dead === 1);
        const issued = new Set((await rig.ledger.rows(id, users)).map((row) => row.userId));
        await dropTrigger();
        return issued.has(BANNED) ? [`${id}: ${BANNED} was issued against the rule of the shop`] : [];
      });
    },
  },
];
