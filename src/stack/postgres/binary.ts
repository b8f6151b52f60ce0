import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CouponError } from '../../lib/errors.ts';
import { dockerAnswers } from '../docker/docker.ts';
import { serverEnvironment, type Host, type Log } from '../../lib/process/host.ts';
import { installPostgresCommand } from '../install-hint.ts';
import { fetchNpmPostgres, NPM_POSTGRES_MAJOR } from './npm-package.ts';
import { cacheDir, type StackPaths } from '../paths.ts';
import { findOnPath, isExecutable, run, type Identity } from '../../lib/process/processes.ts';

export interface NativePostgres {
  kind: 'native';
  /** The folder of `postgres` and `initdb`. */
  bin: string;
  how: string;
  version: string;
}

export type PostgresRoute = NativePostgres | { kind: 'docker'; how: string };

const OLDEST_MAJOR = 13;

/** Folders in which systems keep one subfolder per version, usually outside of the PATH. */
const VERSIONED: { parent: string; pattern: RegExp; bin: string }[] = [
  { parent: '/usr/lib/postgresql', pattern: /^\d+$/, bin: 'bin' },
  { parent: '/usr', pattern: /^pgsql-\d+$/, bin: 'bin' },
  { parent: '/usr/libexec', pattern: /^postgresql\d+$/, bin: '' },
  { parent: '/opt/homebrew/opt', pattern: /^postgresql(@\d+)?$/, bin: 'bin' },
  { parent: '/usr/local/opt', pattern: /^postgresql(@\d+)?$/, bin: 'bin' },
  { parent: '/home/linuxbrew/.linuxbrew/opt', pattern: /^postgresql(@\d+)?$/, bin: 'bin' },
  { parent: '/Applications/Postgres.app/Contents/Versions', pattern: /^\d+$/, bin: 'bin' },
];

/**
 * How to run PostgreSQL here: what is installed, else the npm package with the binaries for this platform, else Docker.
 * `as` is tried out as well: root's binaries are of no use to the server when its user may not enter their folder.
 */
export async function findPostgres(host: Host, paths: StackPaths, as: Identity | null, log: Log): Promise<PostgresRoute> {
  const needed = majorOfData(paths);
  const native = await nativeFor(host, paths, as, log, needed);
  if (native !== null) return native;
  if (needed === null && (await dockerAnswers(host))) return { kind: 'docker', how: 'Docker' };
  throw noPostgres(host, paths, needed);
}

/** A PostgreSQL for data that is there already, and was not made in Docker. */
export async function findNativePostgres(host: Host, paths: StackPaths, as: Identity | null, log: Log): Promise<NativePostgres> {
  const needed = majorOfData(paths);
  const native = await nativeFor(host, paths, as, log, needed);
  if (native !== null) return native;
  throw noPostgres(host, paths, needed);
}

async function nativeFor(
  host: Host,
  paths: StackPaths,
  as: Identity | null,
  log: Log,
  needed: number | null,
): Promise<NativePostgres | null> {
  for (const bin of installedFolders(host)) {
    const found = await probe(host, bin, bin, as, needed);
    if (found !== null) return found;
  }
  if (needed === null || needed === NPM_POSTGRES_MAJOR) {
    const fetched = await fetchNpmPostgres(host, cacheDir(host, paths.dir), log);
    const found = fetched === null ? null : await probe(host, fetched, 'npm package', as, needed);
    if (found !== null) return found;
  }
  return null;
}

/** A data folder can only be opened by the major version that made it. */
function majorOfData(paths: StackPaths): number | null {
  try {
    return Number.parseInt(readFileSync(join(paths.postgresData, 'PG_VERSION'), 'utf8'), 10);
  } catch {
    return null;
  }
}

/** What the PATH names comes first, as with Redis; then the newest version of each place. */
function installedFolders(host: Host): string[] {
  const versioned = VERSIONED.flatMap(({ parent, pattern, bin }) => {
    const names = list(parent).filter((name) => pattern.test(name));
    return names.toSorted((a, b) => numberIn(b) - numberIn(a)).map((name) => join(parent, name, bin));
  });
  const onPath = findOnPath(host, ['initdb']);
  return [...(onPath === null ? [] : [dirname(onPath)]), ...versioned];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function numberIn(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

async function probe(host: Host, bin: string, how: string, as: Identity | null, needed: number | null): Promise<NativePostgres | null> {
  if (!isExecutable(join(bin, 'postgres')) || !isExecutable(join(bin, 'initdb'))) return null;
  const { stdout } = await run(join(bin, 'postgres'), ['--version'], { env: serverEnvironment(host), timeoutMs: 10_000, as });
  const version = /\(PostgreSQL\) (\d+)\S*/.exec(stdout);
  if (version === null) return null;
  const major = Number(version[1]);
  if (major < OLDEST_MAJOR || (needed !== null && major !== needed)) return null;
  return { kind: 'native', bin, how, version: version[0].slice('(PostgreSQL) '.length) };
}

function noPostgres(host: Host, paths: StackPaths, needed: number | null): CouponError {
  if (needed !== null) {
    return new CouponError({
      code: 'POSTGRES_VERSION_GONE',
      kind: 'unreachable',
      message: `the stack's data was written by PostgreSQL ${needed}, which is not on this machine any more`,
      why: `another major version cannot open ${paths.postgresData}`,
      fix: `Install PostgreSQL ${needed} again, or start over with "dev down --purge --confirm".`,
    });
  }
  return new CouponError({
    code: 'POSTGRES_NOT_FOUND',
    kind: 'unreachable',
    message: 'there is no PostgreSQL on this machine, and none could be obtained',
    why: 'no usable server is installed, npm could not fetch one for this platform, and no Docker daemon answers',
    fix: installPostgresCommand(host),
  });
}
