import { diskWeakness, evictionWeakness } from '../../campaign/readiness/weaknesses.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { number, plural } from '../../lib/text/figures.ts';
import type { BytesPerUser, RedisFacts, RedisServer } from './ports.ts';
import { ok, problem, unknown, warning, type Check, type Line } from './line.ts';
import type { Plan } from './plan.ts';
import { clockLine, roundTripLine } from './trip-lines.ts';

type Answer = ReturnType<typeof ok>;

const LEAST_VERSION = 7;
const GRANT_INFO = 'Allow +info: `coupon-cli grants doctor` prints what it needs.';
/** A rewrite of the file copies what changes meanwhile. */
const CROWDED = 0.8;

export function redisLines({ isCluster, servers, bytesPerUser }: RedisFacts, plan: Plan): Line[] {
  return servers.flatMap((server) => {
    const lines: [Check, Answer][] = [
      ['redis_version', version(server)],
      ['redis_role', role(server, isCluster, servers.length)],
      ['redis_replicas', replicas(server)],
      ['redis_persistence', persistence(server)],
      ['redis_writes', writes(server)],
      ['redis_eviction', eviction(server)],
      ['redis_memory', memory(server, bytesPerUser, plan)],
      ['redis_connections', connections(server, plan)],
      ['redis_clock', clockLine(server.trip, 'Redis')],
      ['redis_round_trip', roundTripLine(server.trip, 'Redis')],
    ];
    return lines.map(([check, line]) => ({ check, where: server.address, ...line }));
  });
}

function version({ version: found }: RedisServer): Answer {
  if (found === null) return unknown('this user may not ask for the version', GRANT_INFO);
  if (Number.parseInt(found, 10) >= LEAST_VERSION) return ok(found);
  return problem(`${found} is too old: script flags came with ${LEAST_VERSION}.0`, 'Use Redis 7.0 or later, or Valkey.');
}

function role(server: RedisServer, isCluster: boolean, count: number): Answer {
  if (server.role === null) return unknown('this user may not ask for the role', GRANT_INFO);
  if (server.role === 'replica') return problem('a replica, to which nothing is written', 'Point REDIS_URL at the primary.');
  return ok(isCluster ? `primary, one of ${count} in a Redis Cluster` : 'primary, no cluster');
}

function replicas({ replicas: found }: RedisServer): Answer {
  if (found === null) return unknown('this user may not ask for the replicas', GRANT_INFO);
  const { connected, online } = found;
  if (connected > online)
    return warning(`${connected - online} of ${plural(connected, 'replica')} not in step`, 'Look at the log of the replica.');
  return ok(connected === 0 ? 'none: accepted users are on the disk of one machine' : `${plural(connected, 'replica')}, in step`);
}

function persistence({ durability }: RedisServer): Answer {
  const { appendOnly, fsync } = durability;
  const weak = diskWeakness(durability);
  if (appendOnly === false) return problem(weak!, 'Set appendonly yes and appendfsync always.');
  if (weak !== null) return warning(weak, 'Set appendfsync always, or run serve with --accepted-means replica.');
  if (appendOnly === null) return unknown('this user may not ask what Redis keeps on its disk', GRANT_INFO);
  if (fsync === null) return unknown('appendonly yes; this user may not ask for appendfsync', 'Allow +config|get, or look at redis.conf.');
  return ok('appendonly yes, appendfsync always');
}

function writes({ failedWrites: failed }: RedisServer): Answer {
  if (failed === null) return unknown('this user may not ask whether Redis could write its files', GRANT_INFO);
  if (failed.length === 0) return ok('the last writes of its files went well');
  return problem(`Redis could not write its files (${failed.join(', ')})`, 'Look at its disk and at its log.');
}

function eviction({ durability }: RedisServer): Answer {
  const weak = evictionWeakness(durability);
  if (weak !== null) return problem(weak, 'Set maxmemory-policy noeviction.');
  if (durability.evictionPolicy === null) return unknown('this user may not ask for maxmemory-policy', GRANT_INFO);
  return ok('maxmemory-policy noeviction');
}

function memory({ address, memory: found }: RedisServer, { bytes, from, detail }: BytesPerUser, { users: planned }: Plan): Answer {
  if (found === null) return unknown('this user may not ask for the memory', GRANT_INFO);
  const { used, limit, resident, machine } = found;
  const left = limit > 0 ? limit - used : machine - resident;
  const of = limit > 0 ? `maxmemory ${formatBytes(limit)}` : `the ${formatBytes(machine)} of the machine, which others use as well`;
  const each = `${number(bytes)} bytes a user (${from}: ${detail})`;
  const room = `${formatBytes(left)} left of ${of}; ${each}`;
  const users = planned?.filter((one) => one.address === address).reduce((sum, one) => sum + one.users, 0) ?? null;
  if (users !== null && users * bytes > left)
    return problem(
      `${plural(users, 'user')} need ${formatBytes(users * bytes)}; ${room}`,
      limit > 0 ? 'Raise maxmemory, or plan fewer users.' : 'Take a machine with more memory.',
    );
  const fits =
    users === null
      ? `room for ${plural(Math.max(0, Math.floor(left / bytes)), 'user')}`
      : `${plural(users, 'user')} need ${formatBytes(users * bytes)}`;
  if (limit === 0)
    return warning(`${fits}; ${room}`, 'Set maxmemory with noeviction: without it the system ends Redis when the machine is full.');
  if (users !== null && users * bytes > CROWDED * left)
    return warning(`${fits}; ${room}`, 'Raise maxmemory: a rewrite of the append-only file needs some as well.');
  return ok(`${fits}; ${room}`);
}

function connections({ clients }: RedisServer, { processes }: Plan): Answer {
  if (clients === null) return unknown('this user may not ask for maxclients', 'Allow +info and +config|get.');
  const { connected, most } = clients;
  const text = `${number(connected)} of ${number(most)} in use; ${plural(processes, 'process', 'processes')} of ours`;
  return connected + processes > most ? problem(text, 'Raise maxclients.') : ok(text);
}
