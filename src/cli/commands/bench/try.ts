import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpReply } from '../../../lib/net/http-exchange.ts';
import type { FilledRequest } from '../../../bench/steps/step-client.ts';
import { usageError } from '../../../lib/errors.ts';
import { parseTarget } from '../../../bench/scenario/target.ts';
import { printable } from '../../../lib/text/visible.ts';
import type { Paint } from '../../../lib/text/style.ts';
import type { Configure } from '../../command.ts';
import { EXIT } from '../../exit-codes.ts';
import { requireAllowedHost } from '../../targets.ts';
import { actionsFor } from './actions.ts';
import { loadScenario, trustOf } from './scenarios.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench try my-sale.yaml --url http://127.0.0.1:8080
  coupon-cli bench try my-sale.yaml --url http://127.0.0.1:8080 --user user-17 --json

Every request and reply is shown; passwords, tokens and cookies are masked. Exit code 5 when no rule explains the last reply.`;

const BODY_SHOWN = 2_000;

interface Exchange {
  step: string;
  request: { method: string; url: string; headers: Record<string, string>; body: string };
  reply: { status: number; headers: Record<string, string>; body: string };
}

/** `bench try`, as a subcommand of `bench`. */
export const configure: Configure = (command, cli) => {
  command
    .command('try')
    .summary('send one user through a scenario, and show every request and reply')
    .description('Send one user through all steps of a scenario: set-up, preparation, the request and what follows it, teardown.')
    .argument('<scenario>', 'a YAML file, or the name of a scenario that comes with the program')
    .option('--url <url>', 'the endpoint, instead of the target of the scenario')
    .option('--user <id>', 'who asks; left out: the first user of the scenario')
    .option('--coupon <id>', 'the coupon; left out: the first one of the scenario')
    .option(
      '--allow-target <host>',
      'let it send to an endpoint on this host (may be repeated)',
      (one: string, all: string[]) => [...all, one],
      [],
    )
    .option('--insecure', 'take any certificate of an https endpoint')
    .option('--run-commands', 'let it run the programs that the steps of the scenario name')
    .addHelpText('after', EXAMPLES)
    .action(async (name, flags, self) => {
      await cli.run(self, async (context) => {
        const scenario = await loadScenario(context.env, name);
        const target = flags.url === undefined ? scenario.target : parseTarget(flags.url);
        if (target === null) throw usageError('BENCH_TARGET_MISSING', `scenario "${scenario.name}" names no target`, 'Add --url.');
        requireAllowedHost(target, flags.allowTarget, 'bench try');
        const actions = actionsFor(context, scenario, flags, 'bench try');
        const tls = await trustOf(scenario, flags.insecure === true);
        const [{ StepClient }, { tryUser }, { UserDirectory }] = await Promise.all([
          import('../../../bench/steps/step-client.ts'),
          import('../../../bench/steps/try-user.ts'),
          import('../../../bench/plan/user-plan.ts'),
        ]);
        const exchanges: Exchange[] = [];
        const watch = (step: string, request: FilledRequest, reply: HttpReply): void => {
          const exchange = masked(step, request, reply);
          exchanges.push(exchange);
          if (!context.out.json) context.out.item(exchange, (paint) => exchangeText(exchange, paint));
        };
        const client = new StepClient(target, { tls, connections: 1, watch, actions });
        try {
          const userId = flags.user ?? new UserDirectory(scenario.users).id(0);
          const couponId = flags.coupon ?? scenario.coupons[0]!.id;
          const outcome = await tryUser({ scenario, client, userId, couponId, sleep: (ms) => sleep(ms) });
          if (context.out.json) context.out.data({ userId, couponId, exchanges, outcome }, () => '');
          else context.out.item(outcome, (paint) => `${paint.bold('OUTCOME')}  ${userId} → ${couponId}: ${outcome}\n`);
          return outcome === 'unexpected' || outcome === 'unknown_coupon' ? EXIT.inconclusive : EXIT.ok;
        } finally {
          client.close();
        }
      });
    });
};

const SECRET_HEADERS = /^(authorization|proxy-authorization|cookie|set-cookie|x-api-key)$|token|secret/i;
const SECRET_FIELDS = /("(?:[^"]*(?:token|password|secret|passwd|pwd|apikey|api_key|authorization)[^"]*)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;

function masked(step: string, { method, url, headers, body }: FilledRequest, reply: HttpReply): Exchange {
  const heads = (given: Record<string, string | readonly string[] | undefined>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        SECRET_HEADERS.test(name) ? '***' : printable([value ?? ''].flat().join(', '), 500),
      ]),
    );
  const text = (given: string): string => printable(given.slice(0, BODY_SHOWN), BODY_SHOWN).replaceAll(SECRET_FIELDS, '$1"***"');
  return {
    step,
    request: { method, url: url.href, headers: heads(headers), body: text(body) },
    reply: { status: reply.status, headers: heads(reply.headers), body: text(reply.body) },
  };
}

function exchangeText({ step, request, reply }: Exchange, paint: Paint): string {
  const lines = (mark: string, headers: Record<string, string>, body: string): string[] => [
    ...Object.entries(headers).map(([name, value]) => `  ${mark} ${paint.dim(`${name}: ${value}`)}`),
    ...(body === '' ? [] : [`  ${mark}`, `  ${mark} ${body}`]),
  ];
  return [
    paint.bold(step),
    `  > ${request.method} ${request.url}`,
    ...lines('>', request.headers, request.body),
    `  < ${reply.status}`,
    ...lines('<', reply.headers, reply.body),
    '',
    '',
  ].join('\n');
}
