import { createInterface } from 'node:readline';
import type { Cli } from '../../command.ts';
import type { Configure } from '../../command.ts';

/**
 * `bench worker DIR`: one of the processes of `bench --processes`, started by bench itself and not shown in the help. It goes on
 * the line `go` and finishes early on the line `stop`, or when its parent is gone.
 */
export function configureWorker(command: Parameters<Configure>[0], cli: Cli): void {
  command
    .command('worker', { hidden: true })
    .argument('<dir>')
    .action(async (dir, _options, self) => {
      await cli.run(self, async (context) => {
        const { env, out } = context;
        const { runWorker } = await import('../../../bench/load/processes/worker.ts');
        const stop = new AbortController();
        const go = new Promise<void>((resolve) => {
          createInterface({ input: env.stdin })
            .on('line', (line) => {
              if (line === 'stop') stop.abort();
              resolve();
            })
            .on('close', () => {
              stop.abort();
              resolve();
            });
        });
        const tell = (event: object): void => out.item(event, () => JSON.stringify(event));
        await runWorker({ dir, signal: stop.signal, go, cpuUsage: () => env.cpuMicros(), sharedMs: () => env.monotonicMs(), tell });
        env.stdin.destroy();
      });
    });
}
