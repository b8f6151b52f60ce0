import { number } from '../../lib/text/figures.ts';
import type { CouponError } from '../../lib/errors.ts';
import { eventLines } from './event-lines.ts';
import type { Facts, MachineFacts } from './ports.ts';
import { ok, problem, unknown, type Check, type Line } from './line.ts';
import type { Plan } from './plan.ts';
import { postgresLines } from './postgres-lines.ts';
import { redisLines } from './redis-lines.ts';
import { storeClocksLine } from './trip-lines.ts';

/** Files of a process of ours besides its clients: stores, pipes, its own code. */
const OWN_FILES = 100;

/** A verdict and a fix for everything that was found. */
export function examine({ redis, postgres, machine }: Facts, plan: Plan): Line[] {
  const clocks =
    'error' in redis || 'error' in postgres
      ? []
      : redis.servers.flatMap(({ address, trip }) => (trip ? [{ where: address, ...storeClocksLine(trip, postgres.trip) }] : []));
  return [
    ...('error' in redis ? [unreached('redis_reachable', redis.error)] : redisLines(redis, plan)),
    ...('error' in postgres ? [unreached('postgres_reachable', postgres.error)] : postgresLines(postgres, plan)),
    ...clocks.map((line): Line => ({ check: 'clocks_of_stores', ...line })),
    { check: 'open_files', where: null, ...openFiles(machine, plan) },
    ...(plan.event ? eventLines(plan.event) : []),
  ];
}

function unreached(check: Check, { message, why, fix }: CouponError): Line {
  return { check, where: null, ...problem(why === undefined ? message : `${message}: ${why}`, fix ?? 'Look at its log.') };
}

function openFiles({ openFiles: limit }: MachineFacts, { clients }: Plan): ReturnType<typeof ok> {
  const wanted = clients + OWN_FILES;
  if (limit === null) return unknown('this system does not tell the limit of open files', 'Look at `ulimit -n` where serve will run.');
  if (limit === Number.POSITIVE_INFINITY) return ok('no limit');
  const text = `${number(limit)}; a serve with ${number(clients)} clients needs ${number(wanted)}`;
  return limit < wanted ? problem(text, `Raise it: \`ulimit -n ${wanted}\`, or LimitNOFILE=${wanted} in a unit of systemd.`) : ok(text);
}
