import { CouponError } from '../../../lib/errors.ts';
import { visible } from '../../../lib/text/visible.ts';
import { redisError, tlsNotSpoken } from './errors.ts';
import { sentinelClient, type Sentineled } from './sentinel.ts';
import { speaksPlainly } from './speech.ts';

const LOOK_MS = 2_000;

/** Of one sentinel: it named a primary, it refused, it knows nothing of it, or it could not be asked. */
type Answer = { address: string } & ({ named: true } | { refusal: CouponError } | { unknown: true } | { away: string });

/**
 * Why no sentinel names the primary, which ioredis keeps to itself. Null: one of them does.
 *
 * A refusal is told before silence, whichever sentinel it comes from: starting the others would not help.
 */
export async function sentinelFault(target: Sentineled, url: string): Promise<CouponError | null> {
  const answers = await Promise.all(target.sentinel.hosts.map((host) => answerOf(host, target)));
  if (answers.some((answer) => 'named' in answer)) return null;
  for (const answer of answers) if ('refusal' in answer) return answer.refusal;
  const { code, kind, message } = redisError(new Error('no primary'), url);
  const ignorant = answers.find((answer) => 'unknown' in answer);
  if (ignorant)
    return new CouponError({
      code,
      kind,
      message: `the sentinel ${ignorant.address} knows no primary "${visible(target.sentinel.master)}"`,
      fix: 'Write the name that `SENTINEL MASTERS` shows behind the # of the URL.',
    });
  const away = answers.flatMap((answer) => ('away' in answer ? [`${answer.address}: ${answer.away}`] : []));
  return new CouponError({
    code,
    kind,
    message,
    why: `no sentinel answers (${away.join('; ')})`,
    fix: 'Start them, or name others in --redis-url or REDIS_URL.',
  });
}

async function answerOf({ host, port }: Sentineled['sentinel']['hosts'][number], target: Sentineled): Promise<Answer> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const url = `${target.tls ? 'rediss' : 'redis'}://${address}`;
  if (target.tls && (await speaksPlainly(host, port))) return { address, refusal: tlsNotSpoken(url) };
  const client = sentinelClient({ host, port }, target, { connectTimeout: LOOK_MS, commandTimeout: LOOK_MS, retryStrategy: () => null });
  // Why a link was lost comes as an event; the command learns only that it was.
  let reason: unknown = null;
  client.on('error', (error) => {
    reason ??= error;
  });
  try {
    const named = await client.call('SENTINEL', 'get-master-addr-by-name', target.sentinel.master);
    return named === null ? { address, unknown: true } : { address, named: true };
  } catch (error) {
    const told = redisError(reason ?? error, url);
    if (told.kind !== 'usage') return { address, away: told.why ?? told.message };
    return { address, refusal: told.code === 'REDIS_AUTH' ? loginRefused(told, target) : told };
  } finally {
    client.disconnect();
  }
}

/** The login of the sentinels stands apart from that of Redis. */
function loginRefused({ code, kind, message, why }: CouponError, { sentinel: { user, password } }: Sentineled): CouponError {
  const isNamed = user !== null || password !== null;
  return new CouponError({
    code,
    kind,
    message: message.replace('Redis at', 'the sentinel'),
    why,
    fix: isNamed
      ? 'Check sentinelUsername and sentinelPassword in the URL; the user and password before the @ are those of Redis.'
      : 'Add it to the URL: redis-sentinel://host:26379/0?sentinelPassword=…#primary, and sentinelUsername where there is one.',
  });
}
