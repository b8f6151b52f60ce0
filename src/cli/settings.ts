import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { usageError } from '../lib/errors.ts';
import { parseRedisUrl } from '../stores/redis/url.ts';
import type { Env } from './env.ts';

export type Source = 'flag' | 'environment' | 'file' | 'default';

export interface Setting {
  value: string;
  source: Source;
  /** The variable or file it came from, where that is not obvious. */
  from?: string;
}

export interface SettingSpec {
  flag: string;
  variable: string;
  fallback: string;
  about: string;
}

/** Everything that can be configured, in one place. */
export const SETTINGS = {
  redisUrl: { flag: '--redis-url', variable: 'REDIS_URL', fallback: 'redis://127.0.0.1:6379', about: 'where Redis is' },
  databaseUrl: {
    flag: '--database-url',
    variable: 'DATABASE_URL',
    fallback: 'postgres://127.0.0.1:5432/postgres',
    about: 'where PostgreSQL is',
  },
  keyStyle: { flag: '--key-style', variable: 'COUPON_KEY_STYLE', fallback: 'plain', about: 'how keys are spelled: plain or hash-tag' },
  interval: { flag: '--interval', variable: 'COUPON_INTERVAL', fallback: '2s', about: 'time between two drain passes' },
  batch: { flag: '--batch', variable: 'COUPON_BATCH', fallback: '100', about: 'users per coupon and drain pass' },
  lease: { flag: '--lease', variable: 'COUPON_LEASE', fallback: '30s', about: 'how long a worker may keep a claim' },
  host: { flag: '--host', variable: 'COUPON_HOST', fallback: '127.0.0.1', about: 'where serve listens' },
  port: { flag: '--port', variable: 'COUPON_PORT', fallback: '8080', about: 'where serve listens' },
  healthHost: { flag: '--health-host', variable: 'COUPON_HEALTH_HOST', fallback: '127.0.0.1', about: 'where drain tells its health' },
  healthPort: { flag: '--health-port', variable: 'COUPON_HEALTH_PORT', fallback: 'off', about: 'where drain tells its health, or off' },
} as const satisfies Record<string, SettingSpec>;

export type SettingName = keyof typeof SETTINGS;

const PG_VARIABLES = ['PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD', 'PGDATABASE', 'PGSSLMODE', 'PGSSLROOTCERT'];

/** Flag, then environment, then file, then default; an empty variable counts as unset. */
export class Settings {
  readonly #env: Env;
  readonly #flags: Readonly<Record<string, unknown>>;
  readonly #file: { path: string; vars: Record<string, string> };

  /**
   * @param flags options as commander gives them, by setting name
   * @throws CouponError `BAD_CONFIG_FILE`
   */
  constructor(env: Env, flags: Readonly<Record<string, unknown>>) {
    this.#env = env;
    this.#flags = flags;
    this.#file = readConfigFile(env, typeof flags['config'] === 'string' ? flags['config'] : null);
  }

  get(name: SettingName): Setting {
    const spec = SETTINGS[name];
    const flag = this.#flags[name];
    if (typeof flag === 'string' || typeof flag === 'number') return { value: String(flag), source: 'flag', from: spec.flag };
    for (const [vars, source, from] of [
      [this.#env.vars, 'environment', ''],
      [this.#file.vars, 'file', ` in ${this.#file.path}`],
    ] as const) {
      const value = vars[spec.variable];
      if (value) return { value, source, from: `${spec.variable}${from}` };
      if (name === 'databaseUrl') {
        const used = PG_VARIABLES.filter((variable) => vars[variable]);
        if (used.length > 0) return { value: libpqUrl(vars), source, from: `${used.join(', ')}${from}` };
      }
    }
    return { value: spec.fallback, source: 'default' };
  }
}

function libpqUrl(vars: Readonly<Record<string, string | undefined>>): string {
  const part = (name: string, fallback: string): string => encodeURIComponent(vars[name] || fallback);
  const user = vars['PGUSER'] ? part('PGUSER', '') : '';
  const password = vars['PGPASSWORD'] ? `:${part('PGPASSWORD', '')}` : '';
  const query = new URLSearchParams();
  if (vars['PGSSLMODE']) query.set('sslmode', vars['PGSSLMODE']);
  if (vars['PGSSLROOTCERT']) query.set('sslrootcert', vars['PGSSLROOTCERT']);
  const login = user || password ? `${user}${password}@` : '';
  const search = query.size > 0 ? `?${query.toString()}` : '';
  const host = vars['PGHOST'] || '127.0.0.1';
  return `postgres://${login}${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${vars['PGPORT'] || '5432'}/${part('PGDATABASE', 'postgres')}${search}`;
}

/** `KEY=value` lines. A file that was named must exist; `.env` in the working folder need not. */
function readConfigFile(env: Env, named: string | null): { path: string; vars: Record<string, string> } {
  const path = named === null ? join(env.cwd, '.env') : resolve(env.cwd, named);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (named === null) return { path, vars: {} };
    throw usageError(
      'BAD_CONFIG_FILE',
      `--config: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'Name a readable file of KEY=value lines.',
    );
  }
  return { path: named ?? '.env', vars: parseEnv(text) as Record<string, string> };
}

/** The URL with its password, and any secret-looking query value, replaced by stars. */
export function withoutSecrets(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password) parsed.password = '***';
    for (const key of parsed.searchParams.keys()) if (/pass|secret|token/i.test(key)) parsed.searchParams.set(key, '***');
    return parsed.toString();
  } catch {
    return '(not a URL)';
  }
}

/** As {@link withoutSecrets}. Nothing of a URL that cannot be used: it is unknown which part of it is the password. */
export function redisUrlWithoutSecrets(url: string): string {
  try {
    return withoutSecrets(checkRedisUrl(url));
  } catch {
    return '(not a Redis URL)';
  }
}

/** @throws CouponError `BAD_REDIS_URL` */
export function checkRedisUrl(text: string): string {
  parseRedisUrl(text);
  return text;
}
