import { durationFlag } from '../../../lib/duration.ts';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import type { Strategy } from '../../../campaign/strategy.ts';
import { startChild, type Child } from '../../../lib/process/children.ts';
import type { Context } from '../../context.ts';

export interface OwnServiceOptions {
  scenario: Scenario;
  strategy: Strategy;
  /** Environment of the processes: where the stores are. */
  vars: Readonly<Record<string, string>>;
  cwd: string;
  /** Port of `serve`; 0: any that is free, which it may not get back after a restart. */
  port: number;
  /** Children that run, to be killed all at once. */
  children: Set<Pick<Child, 'kill'>>;
}

export interface OwnService {
  target: string;
  /** Kills one of the two (SIGKILL) and starts it again, as a supervisor would; returns when the new one is ready. */
  kill(which: 'serve' | 'drain'): Promise<void>;
  stop(): Promise<void>;
}

/** `serve` and `drain` as real processes. */
export async function startService(context: Context, options: OwnServiceOptions): Promise<OwnService> {
  const { scenario, strategy, vars, cwd, children } = options;
  const run = (command: string, ...args: string[]): Child => {
    const child = startChild(command, {
      command: context.env.self,
      args: [command, ...args],
      env: vars,
      cwd,
      onDeath: (which, said) => context.out.warn(`\`${which}\` ended by itself${said === '' ? '' : `:\n${said}`}`),
    });
    children.add(child);
    return child;
  };
  const { intervalMs, batch, eager, leaseMs } = scenario.drain;
  const pace = ['--interval', durationFlag(intervalMs), '--batch', String(batch), '--lease', durationFlag(leaseMs)];
  const startDrain = (): Child => run('drain', ...pace, ...(eager ? ['--eager'] : []));
  const startServe = (port: number): Child => run('serve', '--host', '127.0.0.1', '--port', String(port), '--json', '--strategy', strategy);

  let drain = startDrain();
  let serve = startServe(options.port);
  const end = async (child: Child): Promise<void> => {
    await child.stop();
    children.delete(child);
  };
  const stop = async (): Promise<void> => {
    // In this order: what serve still accepts is still issued.
    await end(serve);
    await end(drain);
  };
  context.onClose(stop);
  const target = String((await serve.event('listening'))['url']);
  return {
    target,
    stop,
    async kill(which) {
      const child = which === 'drain' ? drain : serve;
      child.kill();
      await end(child);
      if (which === 'drain') {
        drain = startDrain();
        return;
      }
      serve = startServe(Number(new URL(target).port));
      await serve.event('listening');
    },
  };
}
