import { randomUUID } from 'node:crypto';
import { refusal, seedAll, type SeedPorts } from '../../operate/seed.ts';
import { planSeeds, type SeedPlan } from '../../operate/seed-plan.ts';
import type { CouponDefinition, Expiry } from '../../campaign/coupon.ts';
import { checkDefinition, MAX_TOTAL } from '../../campaign/coupon.ts';
import { formatDuration, parseDuration } from '../../lib/duration.ts';
import { usageError } from '../../lib/errors.ts';
import { plural } from '../../lib/text/figures.ts';
import { parseCouponId } from '../../campaign/ids.ts';
import { parseWhole } from '../../lib/numbers.ts';
import { EXAMPLE_EVENT } from '../../campaign/event.ts';
import { formatInstant, parseInstant } from '../../campaign/time.ts';
import { windowWarnings } from '../../campaign/window-warnings.ts';
import { planText, seededText } from '../../operate/seed-text.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { ALLOW_EVICTION, ALLOW_EVICTION_ABOUT, guardStores } from '../guards.ts';
import { openWithRights } from '../rights.ts';
import { requireLocalStores } from '../targets.ts';
import { WIDE, WIDE_ABOUT } from '../output/table-flags.ts';
import type { Configure } from '../command.ts';

export interface SeedFlags {
  name?: string | undefined;
  stock?: string | undefined;
  opensAt?: string | undefined;
  closesAt?: string | undefined;
  expiresAt?: string | undefined;
  validFor?: string | undefined;
  file?: string | undefined;
  reset?: boolean | undefined;
  confirm?: string | undefined;
  dryRun?: boolean | undefined;
  allowTarget: string[];
  allowEviction?: boolean | undefined;
}

const EXAMPLES = `
Examples:
  coupon-cli seed 42 --name "여름맞이 쿠폰" --stock 100
  coupon-cli seed xmas --name "Christmas" --stock 10000 \\
    --opens-at 2026-12-24T10:00:00+09:00 --closes-at 2026-12-25T00:00:00+09:00 --valid-for 30d
  coupon-cli seed --example > event.yaml
  coupon-cli seed --file event.yaml
  coupon-cli seed 42 --name "여름맞이 쿠폰" --stock 200 --reset --confirm=42

A file is checked as a whole first: all of its coupons are set up, or none. The same command again changes nothing; after an
interruption it finishes what is missing.`;

export const configure: Configure = (command, cli) => {
  command
    .argument('[id]', 'coupon id')
    .option('--name <text>', 'what users see')
    .option('--stock <n>', 'how many may ever be issued')
    .option('--opens-at <time>', 'first instant at which requests are taken, such as 2026-12-24T10:00:00+09:00, or "in 2h"')
    .option('--closes-at <time>', 'first instant at which they no longer are')
    .option('--expires-at <time>', 'when issued coupons stop being usable')
    .option('--valid-for <duration>', 'or how long they are usable after issue, such as 30d')
    .option('--file <path>', 'read coupons from this YAML file; - for stdin')
    .option('--example', 'print an event file with every field, and do nothing')
    .option('--reset', 'delete the coupon and everything issued first')
    .option('--confirm <id>', 'the coupon id once more, instead of the question of --reset')
    .option(
      '--allow-target <host>',
      'let --reset work on stores on this host (may be repeated)',
      (one: string, all: string[]) => [...all, one],
      [],
    )
    .option('--time-zone <zone>', 'in which times without a zone are meant, such as Asia/Seoul (COUPON_TIME_ZONE)')
    .option(ALLOW_EVICTION, ALLOW_EVICTION_ABOUT)
    .option('-n, --dry-run', 'say what would be done, change nothing')
    .option(WIDE, WIDE_ABOUT)
    .addHelpText('after', EXAMPLES)
    .action(async (id, options, self) => {
      await cli.run(self, async (context) => {
        if (options.example) return context.out.data({ example: EXAMPLE_EVENT }, () => EXAMPLE_EVENT);
        const definitions = await readDefinitions(context, id, options);
        await checkReset(context, definitions, options);
        for (const definition of definitions) tellTimes(context, definition);
        await seedThem(context, definitions, options);
      });
    });
};

async function readDefinitions(context: Context, id: string | undefined, flags: SeedFlags): Promise<CouponDefinition[]> {
  if (flags.file !== undefined) {
    const single = ['name', 'stock', 'opensAt', 'closesAt', 'expiresAt', 'validFor'] as const;
    if (id !== undefined || single.some((flag) => flags[flag] !== undefined)) {
      throw usageError('SEED_USAGE', '--file already says everything about the coupons', 'Give either an id with options, or --file.');
    }
    const { readEventFile } = await import('../files/event-file.ts');
    return readEventFile(context.env, flags.file, context.zone);
  }
  if (id === undefined || flags.name === undefined || flags.stock === undefined) {
    throw usageError(
      'SEED_USAGE',
      'a coupon needs an id, a name and a stock',
      'Write `coupon-cli seed ID --name TEXT --stock N`, or use --file.',
    );
  }
  return [toDefinition(id, { ...flags, name: flags.name, stock: flags.stock }, context.zone)];
}

function toDefinition(id: string, flags: SeedFlags & { name: string; stock: string }, zone: string | undefined): CouponDefinition {
  if (flags.expiresAt !== undefined && flags.validFor !== undefined) {
    throw usageError('SEED_USAGE', '--expires-at and --valid-for exclude each other', 'Give one of them, or neither.');
  }
  const instant = (text: string | undefined, name: string): Date | null => (text === undefined ? null : parseInstant(text, { name, zone }));
  let expiry: Expiry = { kind: 'never' };
  if (flags.expiresAt !== undefined) expiry = { kind: 'at', at: parseInstant(flags.expiresAt, { name: '--expires-at', zone }) };
  if (flags.validFor !== undefined) expiry = { kind: 'after', ms: parseDuration(flags.validFor, '--valid-for') };
  return checkDefinition({
    id: parseCouponId(id),
    name: flags.name,
    total: parseWhole(flags.stock, '--stock', 0, MAX_TOTAL),
    opensAt: instant(flags.opensAt, '--opens-at'),
    closesAt: instant(flags.closesAt, '--closes-at'),
    expiry,
  });
}

/** What is odd about the times, and the times themselves: a zone is easily the wrong one. */
function tellTimes(context: Context, definition: CouponDefinition): void {
  for (const warning of windowWarnings(definition, new Date())) context.out.warn(warning);
  const { id, opensAt, closesAt, expiry } = definition;
  const now = Date.now();
  const told = (what: string, at: Date | null): string[] => {
    if (at === null) return [];
    const ahead = at.getTime() > now ? ` (in ${formatDuration(at.getTime() - now)})` : '';
    return [`${what} ${formatInstant(at, context.zone ?? 'UTC')}${ahead}`];
  };
  const times = [...told('opens', opensAt), ...told('closes', closesAt), ...told('expires', expiry.kind === 'at' ? expiry.at : null)];
  if (times.length > 0) context.out.note(`${id}: ${times.join(', ')}`);
}

/** Typing the id once more is what keeps a reset from hitting the wrong coupon. */
async function checkReset(context: Context, definitions: readonly CouponDefinition[], flags: SeedFlags): Promise<void> {
  if (!flags.reset) {
    if (flags.confirm !== undefined) throw usageError('SEED_USAGE', '--confirm belongs to --reset', 'Add --reset, or leave --confirm out.');
    return;
  }
  const [only, second] = definitions;
  if (second || !only)
    throw usageError('SEED_USAGE', '--reset works on one coupon at a time', 'Name it: `coupon-cli seed ID … --reset --confirm=ID`.');
  if (flags.dryRun) return;
  const question = `Delete coupon ${only.id} and everything issued from it, in both stores, and start over?`;
  await confirm(context, { given: flags.confirm, question, typed: only.id, flag: '--confirm' });
}

async function seedThem(context: Context, definitions: readonly CouponDefinition[], flags: SeedFlags): Promise<void> {
  if (flags.reset) requireLocalStores(context, flags.allowTarget, 'seed --reset');
  const use = flags.reset ? 'seed --reset' : 'seed';
  const { redis, ledger } = await openWithRights(context, { use, couponIds: definitions.map(({ id }) => id) });
  await guardStores(context, { redis }, { allowEviction: flags.allowEviction === true, tells: true });
  const { coupons } = redis;
  const ports = { ledger, coupons, newEpoch: randomUUID, keyStyle: redis.keyStyle };
  const [first] = definitions;
  if (flags.reset && first) {
    await resetAndSeed(context, first, ports, flags.dryRun === true);
    return;
  }
  if (flags.dryRun) {
    const plans = await planSeeds(definitions, ports);
    const shown = plans.map(({ problem, ...plan }) => ({ ...plan, ...(problem ? { code: problem.code, why: problem.why } : {}) }));
    context.out.data({ dryRun: true, coupons: shown }, (paint) => planText(plans, paint));
    // A dry run ends as the run would.
    const refused = refusal(plans);
    if (refused) throw refused;
    return;
  }
  const showPlan = (plans: readonly SeedPlan[]): void => {
    if (!context.out.json && plans.length > 1) context.out.note(planText(plans, context.out.notePaint));
  };
  const outcomes = await seedAll(definitions, ports, showPlan);
  const results = definitions.map(({ id, total }, i) => {
    const server = redis.reader.serverOf(id);
    return { couponId: id, outcome: outcomes[i]!, total, ...(server === null ? {} : { server }) };
  });
  context.out.done({ coupons: results }, (paint) => seededText(results, paint));
}

/** What the seeding needs is tried before anything is deleted. */
async function resetAndSeed(context: Context, definition: CouponDefinition, ports: SeedPorts, dryRun: boolean): Promise<void> {
  const { id, total } = definition;
  const { checkOwner, reset } = await import('../../operate/reset.ts');
  await checkOwner(id, ports);
  const refused = await ports.ledger.trySeeding([definition], randomUUID(), ports.keyStyle);
  if (refused) throw refused.error;
  if (dryRun) {
    const stored = await ports.ledger.coupon(id);
    const deletes = (stored?.issuedQuantity ?? 0) + (stored?.returnedQuantity ?? 0);
    const what = `coupon ${id}: would be reset; that would delete ${plural(deletes, 'issued coupon')}; nothing was changed`;
    context.out.data({ dryRun: true, coupons: [{ couponId: id, action: 'reset', deletes }] }, () => what);
    return;
  }
  const deleted = await reset(id, ports);
  const [outcome] = await seedAll([definition], ports);
  const results = [{ couponId: id, outcome: outcome!, total, deleted }];
  context.out.done({ coupons: results }, (paint) => seededText(results, paint));
}
