/**
 * A whole service of one's own for `bench --stack` and `demo`: both stores, migrated; the coupons, fresh; `serve` and `drain`
 * as real processes. REDIS_URL, DATABASE_URL and `.env` play no part: a rehearsal must not be able to reach a real campaign.
 */
import { randomUUID } from 'node:crypto';
import { ownEvidence } from '../app/bench-own-stores.ts';
import type { EvidenceSource } from '../app/evidence-source.ts';
import { reset } from '../app/reset.ts';
import { seed } from '../app/seed.ts';
import { durationFlag } from '../core/duration.ts';
import type { Scenario } from '../core/scenario.ts';
import type { Strategy } from '../core/strategy.ts';
import type { Context } from './context.ts';

export interface OwnStackOptions {
  /** Stacks of different names are apart; a second command on the same one waits. */
  name: 'bench' | 'demo';
  /** Leave the stores running at the end. */
  keep: boolean;
}

export interface OwnStack {
  dir: string;
  evidence: EvidenceSource;
  /** Seeds the coupons of a scenario afresh and starts `serve` and `drain` for it. `stop` ends both. */
  start(scenario: Scenario, strategy?: Strategy): Promise<{ target: string; strategy: Strategy; stop: () => Promise<void> }>;
}

/** Everything is stopped when the context closes. Waits while another command uses the same stack. */
export async function ownStack(context: Context, { name, keep }: OwnStackOptions): Promise<OwnStack> {
  const { env, out } = context;
  const [{ defaultStackDir, stackDown, stackUp }, { occupyStack }] = await Promise.all([
    import('../dev/stack.ts'),
    import('../dev/occupy.ts'),
  ]);
  const dir = defaultStackDir(env, env.packageDir, name);
  context.onClose(await occupyStack(env, { dir, log: (line) => out.note(line) }));
  const { redisUrl, databaseUrl } = await stackUp(env, { dir, log: (line) => out.note(line) });
  if (!keep) context.onClose(() => stackDown(env, { dir }));

  const { migrate } = await import('../pg/migrate.ts');
  const database = await context.database(databaseUrl);
  await migrate(database);
  const ledger = await context.ledger(databaseUrl);
  const { coupons, reader } = await context.redisAt(redisUrl, true);
  const evidence = ownEvidence({ redis: reader, ledger, ownKeyspace: true });

  // Before the command listens for signals itself: at the second one nobody waits for children any more.
  const children = new Set<{ kill(): void }>();
  let signals = 0;
  context.onClose(
    env.onSignal(() => {
      signals += 1;
      if (signals > 1) for (const child of children) child.kill();
    }),
  );

  return {
    dir,
    evidence,
    async start(scenario, strategy = 'atomic') {
      for (const coupon of scenario.coupons) {
        await reset(coupon.id, { ledger, coupons, newEpoch: randomUUID });
        await seed(coupon, { ledger, coupons, newEpoch: randomUUID, keyStyle: context.keyStyle });
      }
      const { startChild } = await import('../load/children.ts');
      const vars = { PATH: env.path, REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, COUPON_KEY_STYLE: context.keyStyle, NO_COLOR: '1' };
      const run = (command: string, ...args: string[]) => {
        const child = startChild(command, {
          command: env.self,
          args: [command, ...args],
          env: vars,
          cwd: dir,
          onDeath: (which, said) => out.warn(`\`${which}\` ended by itself${said === '' ? '' : `:\n${said}`}`),
        });
        children.add(child);
        return child;
      };
      const { intervalMs, batch, eager } = scenario.drain;
      const drain = run('drain', '--interval', durationFlag(intervalMs), '--batch', String(batch), ...(eager ? ['--eager'] : []));
      const serve = run('serve', '--host', '127.0.0.1', '--port', '0', '--json', '--strategy', strategy);
      const stop = async (): Promise<void> => {
        // In this order: what serve still accepts has somebody to issue it.
        for (const child of [serve, drain]) {
          await child.stop();
          children.delete(child);
        }
      };
      context.onClose(stop);
      const { url } = await serve.event('listening');
      return { target: String(url), strategy, stop };
    },
  };
}
