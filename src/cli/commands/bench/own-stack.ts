/**
 * A whole service of one's own for `bench --stack` and `demo`: both stores, migrated; the coupons, fresh; `serve` and `drain`
 * as real processes. REDIS_URL, DATABASE_URL and `.env` play no part: a rehearsal must not be able to reach a real campaign.
 */
import { randomUUID } from 'node:crypto';
import { ownEvidence } from '../../../bench/evidence/own-stores.ts';
import type { Disrupt } from '../../../bench/run-timeline.ts';
import type { EvidenceSource } from '../../../bench/evidence/source.ts';
import { reset } from '../../../operate/reset.ts';
import { seed } from '../../../operate/seed.ts';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import type { Strategy } from '../../../campaign/strategy.ts';
import { command } from '../../../lib/text/suggested-command.ts';
import type { Context } from '../../context.ts';

export interface OwnStackOptions {
  /** Stacks of different names are apart; a second command on the same one waits. */
  name: 'bench' | 'demo';
  /** Leave the stores running at the end. */
  keep: boolean;
}

export interface OwnStack {
  dir: string;
  urls: { redisUrl: string; databaseUrl: string };
  evidence: EvidenceSource;
  /** Seeds the coupons of a scenario afresh and starts `serve` and `drain` for it. `stop` ends both. */
  start(scenario: Scenario, strategy?: Strategy): Promise<OwnEndpoint>;
}

export interface OwnEndpoint {
  target: string;
  strategy: Strategy;
  disrupt: Disrupt;
  stop: () => Promise<void>;
}

function kept(name: string, dir: string): string {
  const [env, down] = [command`dev env --stack ${name}`, command`dev down --stack ${name}`];
  return `Redis and PostgreSQL stay up (${dir}): ${env} prints how to reach them, ${down} ends them.`;
}

/** Everything is stopped when the context closes. Waits while another command uses the same stack. */
export async function ownStack(context: Context, { name, keep }: OwnStackOptions): Promise<OwnStack> {
  const { env, out } = context;
  const [{ defaultStackDir, stackDown, stackRestart, stackUp }, { occupyStack }, { keepStack }] = await Promise.all([
    import('../../../stack/stack.ts'),
    import('../../../stack/occupy.ts'),
    import('../../../stack/keeper.ts'),
  ]);
  const dir = defaultStackDir(env, env.packageDir, name);
  context.onClose(await occupyStack(env, { dir, log: (line) => out.note(line) }));
  // Before the start: whatever ends us, the servers do not stay. Dismissed after `stackDown`, because closers run last first.
  if (!keep) context.onClose(keepStack(env, env.self, dir));
  const { redisUrl, databaseUrl } = await stackUp(env, { dir, log: (line) => out.note(line) });
  if (keep) context.onClose(() => out.note(kept(name, dir)));
  else context.onClose(() => stackDown(env, { dir }));

  const { migrate } = await import('../../../stores/postgres/migrate.ts');
  const database = await context.database(databaseUrl);
  await migrate(database);
  const ledger = await context.ledger(databaseUrl);
  const { coupons, reader, keyStyle } = await context.redisAt(redisUrl, true);
  const evidence = ownEvidence({ redis: reader, ledger, ownKeyspace: true });

  // Before the command listens for signals itself: at the second one children are no longer waited for.
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
    urls: { redisUrl, databaseUrl },
    evidence,
    async start(scenario, strategy = 'atomic') {
      for (const coupon of scenario.coupons) {
        await reset(coupon.id, { ledger, coupons, newEpoch: randomUUID });
        await seed(coupon, { ledger, coupons, newEpoch: randomUUID, keyStyle });
      }
      const [{ startService }, { freePort }] = await Promise.all([import('./own-service.ts'), import('../../../stack/ports.ts')]);
      const vars = {
        PATH: env.path,
        REDIS_URL: redisUrl,
        DATABASE_URL: databaseUrl,
        COUPON_KEY_STYLE: keyStyle,
        COUPON_KEY_PREFIX: context.keyPrefix,
        NO_COLOR: '1',
      };
      // A server that is to come back needs a port that no outgoing connection takes meanwhile.
      const port = scenario.timeline.length > 0 ? await freePort(`${dir} serve`) : 0;
      const { target, stop, kill } = await startService(context, { scenario, strategy, vars, cwd: dir, port, children });
      const disrupt: Disrupt = async (action) => {
        if (action === 'kill-drain' || action === 'kill-serve') await kill(action === 'kill-drain' ? 'drain' : 'serve');
        else await stackRestart(env, { dir, store: action === 'restart-redis' ? 'redis' : 'postgres' });
      };
      return { target, strategy, disrupt, stop };
    },
  };
}
