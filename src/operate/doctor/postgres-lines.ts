import { number } from '../../lib/text/figures.ts';
import type { PostgresFacts } from './ports.ts';
import { ok, problem, unknown, warning, type Check, type Line } from './line.ts';
import type { Plan } from './plan.ts';
import { clockLine, roundTripLine } from './trip-lines.ts';

type Answer = ReturnType<typeof ok>;

const LEAST_VERSION = 13;

export function postgresLines(facts: PostgresFacts, plan: Plan): Line[] {
  const lines: [Check, Answer][] = [
    ['postgres_version', version(facts)],
    ['postgres_role', role(facts)],
    ['postgres_durability', durability(facts)],
    ['postgres_schema', schema(facts)],
    ['postgres_pooler', pooler(facts)],
    ['postgres_connections', connections(facts, plan)],
    ['postgres_clock', clockLine(facts.trip, 'PostgreSQL')],
    ['postgres_round_trip', roundTripLine(facts.trip, 'PostgreSQL')],
  ];
  return lines.map(([check, line]) => ({ check, where: null, ...line }));
}

function version({ version: found }: PostgresFacts): Answer {
  if (found >= LEAST_VERSION) return ok(String(found));
  return problem(`${found} is too old`, `Use PostgreSQL ${LEAST_VERSION} or later.`);
}

function role({ standby, readOnly }: PostgresFacts): Answer {
  if (standby) return problem('a standby, to which nothing is written', 'Point DATABASE_URL at the primary.');
  if (readOnly) return problem('transactions are read only (default_transaction_read_only)', 'Set it off for this role and database.');
  return ok('primary, takes writes');
}

function durability({ weaknesses }: PostgresFacts): Answer {
  if (weaknesses.length === 0) return ok('fsync, full_page_writes and synchronous_commit are on');
  const text = weaknesses.map(({ what }) => what).join('; ');
  const fix = `Set ${weaknesses.map(({ setting }) => `${setting} on`).join(', ')}.`;
  return weaknesses.every(({ setting }) => setting === 'synchronous_commit') ? warning(text, fix) : problem(text, fix);
}

function schema({ schema: found }: PostgresFacts): Answer {
  if (found === null)
    return unknown('this role may not read coupon_migrations', '`coupon-cli grants doctor --for postgres` prints what it needs.');
  const { applied, newest } = found;
  if (applied === 0) return problem('there are no tables', 'Run `coupon-cli migrate`.');
  if (applied < newest) return problem(`version ${applied}, needed ${newest}`, 'Run `coupon-cli migrate`.');
  if (applied > newest) return problem(`version ${applied}, known ${newest}`, 'Update coupon-cli.');
  return ok(`version ${applied}`);
}

function pooler({ pooled }: PostgresFacts): Answer {
  return ok(pooled ? 'through a pooler: settings go with each transaction, and statements are not prepared' : 'none in between');
}

function connections({ connections: { used, most }, pooled }: PostgresFacts, { processes, poolSize }: Plan): Answer {
  const wanted = processes * poolSize;
  const ours = `${processes} × ${poolSize} of ours`;
  if (pooled) return unknown(`the limits of the pooler count; ${ours}`, 'Let its pools and max_client_conn have so many.');
  const text = `${number(used)} of ${number(most)} in use; up to ${ours}`;
  if (wanted > most)
    return problem(text, 'Raise max_connections (or the limit of the role), run fewer processes, or put a pooler in front.');
  if (used + wanted > most) return warning(text, 'Raise max_connections, or end what else is connected.');
  return ok(text);
}
