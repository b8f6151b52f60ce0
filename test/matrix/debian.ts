import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Log } from '../../src/lib/process/host.ts';
import { findOnPath, isExecutable, lastLines, run } from '../../src/lib/process/processes.ts';
import { fetching } from '../../src/stack/fetching.ts';
import { linuxRelease } from '../../src/stack/install-hint.ts';
import { Apt } from '../../src/stack/redis/apt.ts';
import { folder, unavailable, type Obtained } from './obtained.ts';

const FETCH_MS = 600_000;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The program and every library that it needs, the C library included: it must not meet those of this machine. */
const PARTS = /^(redis|valkey|lib|lua)/;
const NOTHING = /^$/;

/**
 * A server of another release of Debian, unpacked beside its own libraries and run by its own loader. The folder has one program,
 * `redis-server`, whichever server it is: that name is looked for first.
 *
 * @throws Error when the mirror offers it and yet does not deliver it
 */
export async function debianRedis(host: Host, cache: string, release: string, server: string, log: Log): Promise<Obtained> {
  const home = join(cache, `matrix-${server}-${release}`);
  const bin = join(home, 'path');
  if (isExecutable(join(bin, 'redis-server'))) return folder(bin);
  if (linuxRelease()?.id !== 'debian' || findOnPath(host, ['apt-get']) === null)
    return unavailable('packages of Debian are unpacked on Debian only');
  return await fetching(host, cache, log, async (work) => {
    const apt = await aptOf(host, work, release);
    if (apt === null) return unavailable('apt has no source with the packages of Debian');
    log(`fetching the package lists of Debian ${release}`);
    const updated = await apt.run('apt-get', ['update', '-q'], FETCH_MS);
    const packages = await apt.missingPackages([server], PARTS, NOTHING);
    if (packages.length === 0) return unavailable(`no ${server} in Debian ${release}: ${lastLines(updated.stderr, 1)}`);

    log(`fetching ${server} ${packages[0]!.version} from Debian ${release}, ${packages.length} packages`);
    const debs = join(work, 'debs');
    mkdirSync(debs);
    const got = await apt.run('apt-get', ['download', '-q', ...packages.map(({ name, version }) => `${name}=${version}`)], FETCH_MS, debs);
    if (got.code !== 0) throw new Error(`Debian ${release} offers ${server}, and fails: ${lastLines(got.stderr)}`);
    const root = join(work, 'root');
    for (const file of readdirSync(debs)) {
      const unpacked = await apt.run('dpkg', ['-x', join(debs, file), root], FETCH_MS);
      if (unpacked.code !== 0) throw new Error(`${file}: ${lastLines(unpacked.stderr)}`);
    }
    writeLauncher(root, home, server);
    renameSync(root, home);
    return folder(bin);
  });
}

/** apt with the mirror of this machine, but for another release, and blind to what is installed here. */
async function aptOf(host: Host, work: string, release: string): Promise<Apt | null> {
  const asked = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], {
    env: host.env,
    timeoutMs: 60_000,
  });
  const mirror = asked.stdout.split('\n').find((line) => /\/debian\/?$/.test(line));
  if (mirror === undefined) return null;
  const [sources, status] = [join(work, 'sources.list'), join(work, 'status')];
  const trust = existsSync(KEYRING) ? ` [signed-by=${KEYRING}]` : '';
  writeFileSync(sources, `deb${trust} ${mirror} ${release} main\n`);
  writeFileSync(status, '');
  return new Apt(host, work, join(work, 'lists'), [
    `Dir::Etc::SourceList "${sources}";`,
    'Dir::Etc::SourceParts "/dev/null";',
    `Dir::State::Status "${status}";`,
  ]);
}

/** @param home where `root` will be in the end */
function writeLauncher(root: string, home: string, server: string): void {
  const files = readdirSync(root, { recursive: true, withFileTypes: true });
  const loader = files.find(({ name }) => /^ld-linux.*\.so\.\d+$/.test(name));
  if (loader === undefined) throw new Error(`there is no loader beside ${server}`);
  const moved = (path: string): string => join(home, path.slice(root.length));
  const libraries = [...new Set(files.filter(({ name }) => /\.so(\.\d+)*$/.test(name)).map(({ parentPath }) => moved(parentPath)))];
  const command = [moved(join(loader.parentPath, loader.name)), '--library-path', libraries.join(':'), join(home, 'usr', 'bin', server)];
  mkdirSync(join(root, 'path'));
  writeFileSync(join(root, 'path', 'redis-server'), `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`, {
    mode: 0o755,
  });
}
