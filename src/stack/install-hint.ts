import { readFileSync } from 'node:fs';
import type { Host } from '../lib/process/host.ts';

/** One line for a person to copy, right for the system that they sit at. */
const REDIS: Record<string, string> = {
  debian: 'sudo apt-get install redis-server',
  alpine: 'sudo apk add redis',
  fedora: 'sudo dnf install valkey',
  arch: 'sudo pacman -S valkey',
  suse: 'sudo zypper install redis',
  darwin: 'brew install redis',
};

const POSTGRES: Record<string, string> = {
  debian: 'sudo apt-get install postgresql',
  alpine: 'sudo apk add postgresql',
  fedora: 'sudo dnf install postgresql-server',
  arch: 'sudo pacman -S postgresql',
  suse: 'sudo zypper install postgresql-server',
  darwin: 'brew install postgresql@17',
};

export function installRedisCommand(host: Host): string {
  return sentence(host, REDIS);
}

export function installPostgresCommand(host: Host): string {
  return sentence(host, POSTGRES);
}

function sentence(host: Host, commands: Record<string, string>): string {
  if (host.platform === 'win32') return 'Use WSL (Windows Subsystem for Linux), and run this again inside of it.';
  const family = host.platform === 'darwin' ? 'darwin' : linuxFamily();
  const command = family === null ? undefined : commands[family];
  return command === undefined ? 'Install it with the package manager of this system, or start Docker.' : `${command}    (or start Docker)`;
}

export interface Release {
  id: string;
  name: string;
  version: string;
  families: string[];
}

/** What Linux distribution this is, and which ones it descends from. */
export function linuxRelease(file = '/etc/os-release'): Release | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const id = field('ID');
  return { id, name: field('NAME').split(' ')[0] ?? id, version: field('VERSION_ID'), families: [id, ...field('ID_LIKE').split(' ')] };
}

function linuxFamily(): string | null {
  const families = linuxRelease()?.families ?? [];
  const known: Record<string, string> = {
    ubuntu: 'debian',
    rhel: 'fedora',
    centos: 'fedora',
    archlinux: 'arch',
    opensuse: 'suse',
    sles: 'suse',
  };
  for (const family of families) {
    const name = known[family] ?? family;
    if (name in REDIS) return name;
  }
  return null;
}
