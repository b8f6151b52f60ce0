import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Apt } from './apt.ts';
import { linuxRelease } from '../install-hint.ts';
import type { Host, Log } from '../../lib/process/host.ts';
import { fetching } from '../fetching.ts';
import { isOwnFolder } from '../paths.ts';
import { findOnPath, isExecutable, lastLines } from '../../lib/process/processes.ts';

/**
 * Redis from the package of Debian or Ubuntu, unpacked into a folder of ours instead of installed: works without root, starts no
 * service, and leaves the system as it is. apt checks the signatures as always.
 */
export interface Unpacked {
  command: string;
  /** Folders with the libraries that this system lacks. */
  libraries: string[];
  how: string;
}

/** Server packages in order of preference, and what is needed around them; a system's other packages are there or do not matter. */
const SERVERS = ['redis-server', 'valkey-server'];
const OWN = /^(redis|valkey)/;
const SHARED = /^(lib|lua)/;

const FETCH_MS = 240_000;
const UNPACK_MS = 60_000;

interface Target {
  distribution: string;
  home: string;
}

function targetOf(host: Host, cache: string): Target | null {
  const release = host.platform === 'linux' ? linuxRelease() : null;
  if (release === null || !release.families.some((family) => family === 'debian' || family === 'ubuntu')) return null;
  return { distribution: release.name, home: join(cache, `${release.id}-${release.version}-${host.arch}-redis`) };
}

/** What an earlier call has fetched; null when there is nothing yet. */
export function unpackedDebianRedis(host: Host, cache: string): Unpacked | null {
  const target = targetOf(host, cache);
  if (target === null || !isOwnFolder(host, cache)) return null; // before anything in there is run
  return unpackedIn(target);
}

/** Null when this is not such a system, or when it cannot be fetched; the reason is logged. */
export async function unpackDebianRedis(host: Host, cache: string, log: Log, systemLists = true): Promise<Unpacked | null> {
  const target = targetOf(host, cache);
  if (target === null || findOnPath(host, ['apt-get']) === null || findOnPath(host, ['dpkg']) === null) return null;
  const { distribution, home } = target;

  return await fetching(host, cache, log, async (work) => {
    const known = unpackedIn(target);
    if (known !== null) return known;
    mkdirSync(join(work, 'debs'));
    const fetched =
      (systemLists && (await fetchPackages(new Apt(host, work), work, distribution, log))) ||
      (await fetchWithOwnLists(host, work, distribution, log));
    if (!fetched) return null;
    rmSync(home, { recursive: true, force: true }); // of an earlier one, from which a cleaner of old files has taken some
    renameSync(join(work, 'root'), home);
    return unpackedIn(target);
  });
}

function unpackedIn({ distribution, home }: Target): Unpacked | null {
  const command = SERVERS.map((name) => join(home, 'usr', 'bin', name)).find(isExecutable);
  if (command === undefined) return null;
  const parents = [join(home, 'usr', 'lib'), join(home, 'lib')].filter((folder) => existsSync(folder));
  const folders = parents.flatMap((parent) => [parent, ...subfolders(parent)]);
  const libraries = folders.filter((folder) => readdirSync(folder).some((name) => name.includes('.so')));
  return { command, libraries, how: `${distribution} package unpacked` };
}

function subfolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

/** A fresh machine or container has no package lists, and old lists name packages that were replaced since. */
async function fetchWithOwnLists(host: Host, work: string, distribution: string, log: Log): Promise<boolean> {
  log(`fetching the package lists of ${distribution} into a folder of our own`);
  const apt = new Apt(host, work, join(work, 'lists'));
  const updated = await apt.run('apt-get', ['update', '-q'], FETCH_MS);
  if (await fetchPackages(apt, work, distribution, log)) return true;
  log(`no Redis from ${distribution}'s packages: ${lastLines(updated.stderr, 2)}`);
  return false;
}

async function fetchPackages(apt: Apt, work: string, distribution: string, log: Log): Promise<boolean> {
  const packages = await apt.missingPackages(SERVERS, OWN, SHARED);
  const server = packages.find((entry) => SERVERS.includes(entry.name));
  if (server === undefined) return false;
  const megabytes = packages.reduce((sum, entry) => sum + entry.size, 0) / 1e6;
  log(`fetching ${server.name} ${upstream(server.version)} (${megabytes.toFixed(1)} MB) from ${distribution}…`);

  const folder = join(work, 'debs');
  const got = await apt.run('apt-get', ['download', '-q', ...packages.map((entry) => `${entry.name}=${entry.version}`)], FETCH_MS, folder);
  if (got.code !== 0) return false;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    const unpacked = await apt.run('dpkg', ['-x', join(folder, file), join(work, 'root')], UNPACK_MS);
    if (unpacked.code !== 0) return false;
  }
  return true;
}

/** `5:7.0.15-1~deb12u10` → `7.0.15` */
function upstream(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}
