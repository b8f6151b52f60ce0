import { systemClock } from '../../../lib/clock.ts';
import { parseWhole } from '../../../lib/numbers.ts';
import { usageError } from '../../../lib/errors.ts';
import { jsonText } from '../../../lib/text/terminal.ts';
import type { Configure } from '../../command.ts';
import { listen } from '../../listen.ts';
import { isLoopback } from '../../targets.ts';
import { throttledWarnings } from '../../output/throttled-warnings.ts';
import { intervalOf, openLook } from './look.ts';

const EXAMPLES = `
Examples:
  coupon-cli dashboard                       open the address that it prints in a browser
  coupon-cli dashboard --port 0 --json       a free port; stdout says which
  coupon-cli dashboard --interval 5s
  ssh -L 8088:127.0.0.1:8088 ops.example     look from elsewhere, through a tunnel

It shows what \`coupon-cli top\` shows, changes nothing, and needs no network but its own address. GET /view.json is the view as JSON.`;

export const configure: Configure = (command, cli) => {
  command
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on, 0 = a free one', '8088')
    .option('--interval <duration>', 'time between two looks (default 1s)')
    .option('--trust-the-proxy', 'a proxy in front has checked who looks; needed on other addresses than loopback')
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        const { host } = flags;
        const intervalMs = intervalOf(flags);
        const port = parseWhole(flags.port, '--port', 0, 65_535);
        if (!isLoopback(host) && !flags.trustTheProxy)
          throw usageError(
            'IDENTITY_NEEDED',
            `on ${host} any client could look: the dashboard has no login`,
            'Listen on 127.0.0.1 and come through a tunnel, or add --trust-the-proxy when a proxy in front has checked who looks.',
          );
        const stop = context.stopSignal();
        const look = await openLook(context, 'dashboard');
        // Looked at whether or not somebody looks, so that the lines have no gaps; however many look, the stores are asked once.
        const { secrets } = context.env;
        const textOf = async (): Promise<string> => secrets.mask(jsonText(await look()));
        let latest = await textOf();
        const { buildDashboard } = await import('./dashboard-server.ts');
        const app = await buildDashboard(() => latest, { intervalMs, host, onFault: throttledWarnings(context) });
        const url = await listen(app, { host, port, flags: { host: '--host', port: '--port' } });
        context.onClose(() => app.close());
        context.out.item({ event: 'listening', url }, () => `dashboard at ${url}`);
        const stopped = new Promise<null>((resolve) => stop.addEventListener('abort', () => resolve(null), { once: true }));
        for (;;) {
          await systemClock.sleep(intervalMs, stop);
          const next = stop.aborted ? null : await Promise.race([textOf(), stopped]);
          if (next === null) return;
          latest = next;
        }
      });
    });
};
