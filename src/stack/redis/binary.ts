import { CouponError } from '../../lib/errors.ts';
import { unpackDebianRedis, unpackedDebianRedis, type Unpacked } from './debian-package.ts';
import { dockerAnswers } from '../docker/docker.ts';
import { serverEnvironment, type Host, type Log } from '../../lib/process/host.ts';
import { installRedisCommand } from '../install-hint.ts';
import { cacheDir } from '../paths.ts';
import { findOnPath, isExecutable, run } from '../../lib/process/processes.ts';

export interface NativeRedis {
  kind: 'native';
  command: string;
  env: Record<string, string>;
  how: string;
  version: string;
}

export type RedisRoute = NativeRedis | { kind: 'docker'; how: string };

/** Our scripts declare flags in a `#!lua` line, which Redis understands since 7.0 (and Valkey always did). */
const OLDEST_MAJOR = 7;

const HOMEBREW = ['/opt/homebrew', '/usr/local', '/home/linuxbrew/.linuxbrew'];

/**
 * How to run Redis here, cheapest route first: what is installed, a Docker daemon that runs, a package of this system unpacked into a
 * folder of ours. None of them changes the system.
 */
export async function findRedis(host: Host, stackDir: string, log: Log): Promise<RedisRoute> {
  const here = (await findInstalledRedis(host, log)) ?? (await unpackedBefore(host, stackDir, log));
  if (here !== null) return here;
  if (await dockerAnswers(host)) return { kind: 'docker', how: 'Docker' };
  const unpacked = await unpackNow(host, stackDir, log);
  if (unpacked !== null) return unpacked;
  throw noRedis(host);
}

/** A Redis that can be run as a plain command, for tests that run servers of their own beside the stack's. */
export async function findNativeRedis(host: Host, stackDir: string, log: Log): Promise<NativeRedis> {
  const here = (await findInstalledRedis(host, log)) ?? (await unpackedBefore(host, stackDir, log));
  const found = here ?? (await unpackNow(host, stackDir, log));
  if (found === null) throw noRedis(host);
  return found;
}

async function findInstalledRedis(host: Host, log: Log): Promise<NativeRedis | null> {
  const names = ['redis-server', 'valkey-server'];
  const candidates = names.flatMap((name) => {
    const onPath = findOnPath(host, [name]);
    const brewed = HOMEBREW.flatMap((brew) => [`${brew}/bin/${name}`, `${brew}/opt/${name.replace('-server', '')}/bin/${name}`]);
    return [
      ...(onPath === null ? [] : [{ command: onPath, how: `${name} on PATH` }]),
      ...brewed.filter(isExecutable).map((command) => ({ command, how: `${name} from Homebrew` })),
    ];
  });
  for (const { command, how } of candidates) {
    const found = await probe(host, command, {}, how, log);
    if (found !== null) return found;
  }
  return null;
}

async function unpackedBefore(host: Host, stackDir: string, log: Log): Promise<NativeRedis | null> {
  return await probeUnpacked(host, unpackedDebianRedis(host, cacheDir(host, stackDir)), log);
}

async function unpackNow(host: Host, stackDir: string, log: Log): Promise<NativeRedis | null> {
  return await probeUnpacked(host, await unpackDebianRedis(host, cacheDir(host, stackDir), log), log);
}

async function probeUnpacked(host: Host, unpacked: Unpacked | null, log: Log): Promise<NativeRedis | null> {
  if (unpacked === null) return null;
  return await probe(host, unpacked.command, { LD_LIBRARY_PATH: unpacked.libraries.join(':') }, unpacked.how, log);
}

/** Runs the program once: it may be for another system, lack a library, or be too old. */
async function probe(host: Host, command: string, env: Record<string, string>, how: string, log: Log): Promise<NativeRedis | null> {
  const { stdout, stderr } = await run(command, ['--version'], { env: serverEnvironment(host, env), timeoutMs: 10_000 });
  const version = /v=(\d+)(\.\d+)*/.exec(stdout);
  if (version === null) {
    log(`${command} does not run: ${stderr.trim().split('\n')[0] ?? ''}`);
    return null;
  }
  if (Number(version[1]) < OLDEST_MAJOR) {
    log(`${command} is too old: ${version[0].slice(2)}, needs ${OLDEST_MAJOR}.0 or newer`);
    return null;
  }
  return { kind: 'native', command, env, how, version: version[0].slice(2) };
}

function noRedis(host: Host): CouponError {
  return new CouponError({
    code: 'REDIS_NOT_FOUND',
    kind: 'unreachable',
    message: 'there is no Redis on this machine, and none could be obtained',
    why: `neither redis-server nor valkey-server ${OLDEST_MAJOR}.0 or newer is on the PATH, and no Docker daemon answers`,
    fix: installRedisCommand(host),
  });
}
