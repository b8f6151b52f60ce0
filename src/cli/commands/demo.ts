import { demoReport } from '../../render/demo-report.ts';
import { EXIT } from '../exit-codes.ts';
import { ownStack } from '../own-stack.ts';
import { runBench } from '../run-bench.ts';
import { loadScenario } from '../scenarios.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli demo
  coupon-cli demo --keep          leave Redis and PostgreSQL running, to look around
  coupon-cli demo --json          the full report

The demo has a Redis and a PostgreSQL of its own; REDIS_URL, DATABASE_URL and .env play no part.`;

export const configure: Configure = (command, cli) => {
  command
    .description('See a whole flash sale happen and be proven: stores, server, drain, 10,000 users for 1,000 coupons. Under a minute.')
    .option('--keep', 'leave the stores running at the end')
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        const { out } = context;
        const scenario = await loadScenario(context.env, 'flash-sale');
        const stack = await ownStack(context, { name: 'demo', keep: flags.keep === true });
        const signal = context.stopSignal();
        out.note('Seeding the coupons, starting `serve` and `drain` …');
        const { target, stop } = await stack.start(scenario);
        if (signal.aborted) return signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
        out.note(`The sale is open at ${target}: ${scenario.users.count} users ask at once.`);
        const report = await runBench(context, { scenario, target, evidence: stack.evidence, signal });
        await stop();
        out.data(report, (paint) => `${demoReport(report, paint)}\n${flags.keep ? `\nThe stores stay: ${stack.dir}\n` : ''}`);
        return report.exitCode;
      });
    });
};
