import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../lib/process/host.ts';
import { run, type Output } from '../../lib/process/processes.ts';

const LOOK_MS = 60_000;
const DEPTH = 6;

export interface Package {
  name: string;
  version: string;
  size: number;
  depends: string[];
}

/** apt with the system's sources and settings, but with folders of ours, and without the hooks that system packages add. */
export class Apt {
  readonly #host: Host;
  readonly #config: string;
  readonly #work: string;
  readonly #lists: string | null;
  readonly #settings: readonly string[];

  /** @param settings lines of configuration that win over the system's */
  constructor(host: Host, work: string, lists: string | null = null, settings: readonly string[] = []) {
    this.#host = host;
    this.#work = work;
    this.#lists = lists;
    this.#settings = settings;
    this.#config = join(work, lists === null ? 'system-lists.conf' : 'own-lists.conf');
  }

  async run(command: string, args: string[], timeoutMs: number, cwd = this.#work): Promise<Output> {
    if (!existsSync(this.#config)) await this.#configure();
    const env = { ...this.#host.env, APT_CONFIG: this.#config, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
    return await run(command, args, { env, timeoutMs, cwd });
  }

  /** A hook may touch the host (or fail, when we are not root), and no option on the command line can take one away. */
  async #configure(): Promise<void> {
    const dump = await run('apt-config', ['dump'], { env: { ...this.#host.env, LC_ALL: 'C' }, timeoutMs: LOOK_MS });
    const kept = dump.stdout.split('\n').filter((line) => !/^DPkg::|Invoke/i.test(line));
    const cache = join(this.#work, 'cache');
    mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
    if (this.#lists !== null) mkdirSync(join(this.#lists, 'partial'), { recursive: true });
    const own = [
      'Dir::Etc::Parts "/dev/null";',
      'Dir::Etc::Main "/dev/null";',
      `Dir::Cache "${cache}";`,
      'Dir::Cache::pkgcache "pkgcache.bin";',
      ...(this.#lists === null ? [] : [`Dir::State::Lists "${this.#lists}";`]),
      'APT::Sandbox::User "root";', // nothing of ours is writable for _apt, which apt would only complain about
      'Acquire::Languages "none";',
      'Acquire::Retries "1";',
      'Acquire::http::Timeout "20";',
      'Acquire::https::Timeout "20";',
      ...this.#settings,
    ];
    writeFileSync(this.#config, [...kept, ...own, ''].join('\n'));
  }

  /**
   * The first of these packages that there is, and what it needs, found one layer of dependencies at a time.
   *
   * @param own packages that are parts of the same program (`redis-server` is a link to a file of `redis-tools`): an installed one
   *   does not help, because the link of the unpacked one does not lead there
   * @param shared packages that count only when this system lacks them
   */
  async missingPackages(oneOf: string[], own: RegExp, shared: RegExp): Promise<Package[]> {
    const found: Package[] = [];
    let layer = (await this.#show(oneOf)).slice(0, 1);
    for (let depth = 0; depth < DEPTH && layer.length > 0; depth += 1) {
      found.push(...layer);
      const known = new Set(found.map((entry) => entry.name));
      const wanted = [...new Set(layer.flatMap((entry) => entry.depends))].filter((name) => !known.has(name));
      const lacking = await this.#notInstalled(wanted.filter((name) => shared.test(name)));
      layer = await this.#show([...wanted.filter((name) => own.test(name)), ...lacking]);
    }
    return found;
  }

  async #show(names: string[]): Promise<Package[]> {
    if (names.length === 0) return [];
    const { stdout } = await this.run('apt-cache', ['show', '--no-all-versions', ...names], LOOK_MS);
    const shown = stdout.split(/\n\n+/).map((block) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
      const depends = `${field('Pre-Depends')},${field('Depends')}`.split(',').map((one) => /^\s*([^\s:|(]*)/.exec(one)?.[1] ?? '');
      return {
        name: field('Package'),
        version: field('Version'),
        size: Number(field('Size')),
        depends: depends.filter((name) => name !== ''),
      };
    });
    return names.flatMap((name) => shown.find((entry) => entry.name === name) ?? []);
  }

  async #notInstalled(names: string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const { stdout } = await this.run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\\n', ...names], LOOK_MS);
    const installed = new Set(stdout.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])));
    return names.filter((name) => !installed.has(name));
  }
}
