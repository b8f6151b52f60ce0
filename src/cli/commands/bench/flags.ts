import type { Strategy } from '../../../campaign/strategy.ts';
import type { Gate } from '../../../bench/compare/gate.ts';
import { usageError } from '../../../lib/errors.ts';

export interface BenchFlags {
  url?: string | undefined;
  stack?: true | undefined;
  strategy?: Strategy[] | undefined;
  keep?: true | undefined;
  allowTarget: string[];
  allowCoupon: string[];
  processes: number;
  prepared?: string | undefined;
  baseline?: string | undefined;
  failOn: Gate[];
  insecure?: true | undefined;
  runCommands?: true | undefined;
  out?: string | undefined;
}

/** @throws CouponError `BENCH_USAGE` for flags that do not go together */
export function checkFlags(flags: BenchFlags): void {
  if (flags.stack && flags.url !== undefined) {
    throw usageError(
      'BENCH_USAGE',
      '--stack and --url exclude each other',
      'Give --url for a server of yours, or --stack for one that bench starts.',
    );
  }
  if (flags.strategy && !flags.stack) {
    throw usageError(
      'BENCH_USAGE',
      '--strategy is about the server of --stack',
      'Add --stack; a server of yours gets its strategy from `coupon-cli serve --strategy`.',
    );
  }
  if (flags.failOn.length > 0 && flags.baseline === undefined)
    throw usageError('BENCH_USAGE', '--fail-on is about --baseline', 'Add --baseline REPORT, or leave --fail-on out.');
  if (flags.keep && !flags.stack)
    throw usageError('BENCH_USAGE', '--keep is about the stores of --stack', 'Add --stack, or leave --keep out.');
}
