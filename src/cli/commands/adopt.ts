import { randomUUID } from 'node:crypto';
import { MAX_TOTAL } from '../../campaign/coupon.ts';
import { parseCouponId } from '../../campaign/ids.ts';
import { parseWhole } from '../../lib/numbers.ts';
import { plural } from '../../lib/text/figures.ts';
import { adoptCoupon } from '../../operate/adopt/adopt.ts';
import { COUPON_FIELDS, ISSUED_FIELDS, parseFields } from '../../operate/adopt/fields.ts';
import { adoptedText, planText } from '../../operate/adopt/text.ts';
import type { Configure } from '../command.ts';
import { Option } from '@commander-js/extra-typings';
import { ALLOW_EVICTION, ALLOW_EVICTION_ABOUT, guardStores } from '../guards.ts';
import { startProgress } from '../output/progress.ts';
import { openWithRights } from '../rights.ts';

const EXAMPLES = `
Examples:
  coupon-cli adopt 42 --total 100 --dry-run               what is in Redis, and what speaks against it
  coupon-cli adopt 42 --total 100
  coupon-cli adopt 42 --field total=maxQuantity --field stock=quantity --time-zone Asia/Seoul
  coupon-cli adopt 42 --total 100 --member-field memberId
  coupon-cli adopt 42 --hash-key 'shop:coupon:{id}' --queue-key 'shop:queue:{id}' --issued-key 'shop:issued:{id}:{user}'

Reads the hash, the queue and the issued keys that another service has written, and builds the ledger's row, the admissions and a row for each
issued key. Everything is checked before anything is changed. Stop the service's own scheduler first. Interrupted anywhere, the same command
goes on. Fields are ${[...new Set([...COUPON_FIELDS, ...ISSUED_FIELDS])].join(', ')}.`;

const ADOPTING = 'adopting';

export const configure: Configure = (command, cli) => {
  const several = (one: string, all: string[]): string[] => [...all, one];
  command
    .argument('<id>', 'coupon id')
    .option('--total <n>', 'how many there are; needed where the hash does not say')
    .option('--stock <n>', 'what is left, where the hash is wrong')
    .option('--name <text>', 'what users see, where the hash does not say')
    .addOption(new Option('--state <state>', 'of the sale, where the hash does not say').choices(['open', 'paused', 'closed'] as const))
    .option('--field <ours=theirs>', 'what the service calls a field (may be repeated)', several, [])
    .option('--member-field <name>', 'field of the user id, where members of the queue are JSON objects', 'userId')
    .option('--hash-key <template>', "key of the service's hash, with {id}")
    .option('--queue-key <template>', 'key of its queue, with {id}')
    .option('--issued-key <template>', 'key of an issued coupon, with {id} and {user}')
    .option('--time-zone <zone>', 'in which times without a zone are meant, such as Asia/Seoul (COUPON_TIME_ZONE)')
    .option(ALLOW_EVICTION, ALLOW_EVICTION_ABOUT)
    .option('-n, --dry-run', 'say what was found and what would be done, change nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (id, flags, self) => {
      await cli.run(self, async (context) => {
        const couponId = parseCouponId(id);
        const whole = (text: string | undefined, name: string) => (text === undefined ? null : parseWhole(text, name, 0, MAX_TOTAL));
        const { hashKey, queueKey, issuedKey, memberField, dryRun = false } = flags;
        const options = {
          total: whole(flags.total, '--total'),
          stock: whole(flags.stock, '--stock'),
          name: flags.name ?? null,
          state: flags.state ?? null,
          fields: parseFields(flags.field),
          templates: { hashKey, queueKey, issuedKey },
          zone: context.zone,
          memberField,
          byWhom: context.operator,
          dryRun,
        };
        const { redis, database } = await openWithRights(context, { use: 'adopt', couponIds: [couponId] });
        await guardStores(context, { redis }, { allowEviction: flags.allowEviction === true, tells: true });
        const [{ redisAdoptionSource, redisAdoptionStore }, { ledgerAdoptions }] = await Promise.all([
          import('../../stores/redis/adoption.ts'),
          import('../../stores/postgres/ledger-adoptions.ts'),
        ]);
        const { connection, keyStyle } = redis;
        const ports = {
          source: redisAdoptionSource(connection, keyStyle),
          store: redisAdoptionStore(connection, keyStyle),
          ledger: ledgerAdoptions(database),
          keyStyle,
          newId: randomUUID,
        };
        const progress = await startProgress(context, ADOPTING);
        const told = {
          ...options,
          progress: (users: number) => progress.update(`${ADOPTING} coupon ${couponId}: ${plural(users, 'user')} so far`),
        };
        try {
          const result = await adoptCoupon(couponId, told, ports, (plan, problems) => {
            // What is refused is shown all the same: the numbers say what to correct.
            if (problems.length === 0) return;
            const codes = problems.map(({ code, message, why }) => ({ code, message, ...(why === undefined ? {} : { why }) }));
            progress.stop();
            if (dryRun) context.out.data({ outcome: 'refused', plan, problems: codes }, (paint) => planText(plan, problems, paint));
            else context.out.note(planText(plan, problems, context.out.notePaint));
          });
          progress.stop();
          context.out.done(result, (paint) => adoptedText(result, paint), dryRun);
        } finally {
          progress.stop();
        }
      });
    });
};
