import { nearest } from '../lib/text/suggest.ts';
import { MAX_PENDING } from '../admission/backlog.ts';
import { MAX_IN_FLIGHT } from '../admission/batcher.ts';
import { MAX_CONNECTIONS } from '../http/connections.ts';
import { PG_PARAMETERS, PG_VARIABLES } from '../stores/postgres/connection/parameters.ts';
import { readConfigFile, type ConfigFile } from './files/config-file.ts';
import type { Env } from './env.ts';
import { usageError } from '../lib/errors.ts';

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
  schema: {
    flag: '--schema',
    variable: 'COUPON_SCHEMA',
    fallback: '',
    about: 'where the tables of the ledger are; empty: wherever the search path of the database leads',
  },
  keyStyle: { flag: '--key-style', variable: 'COUPON_KEY_STYLE', fallback: 'plain', about: 'how keys are spelled: plain or hash-tag' },
  redisNatMap: {
    flag: '--redis-nat-map',
    variable: 'COUPON_REDIS_NAT_MAP',
    fallback: '',
    about: 'how the addresses that a Redis Cluster tells are reached from here, such as 10.0.0.5:6379=127.0.0.1:7001',
  },
  keyPrefix: {
    flag: '--key-prefix',
    variable: 'COUPON_KEY_PREFIX',
    fallback: '',
    about: 'before every key in Redis, to keep environments apart',
  },
  timeZone: {
    flag: '--time-zone',
    variable: 'COUPON_TIME_ZONE',
    fallback: '',
    about: 'in which times without a zone are meant, and times are told back',
  },
  interval: { flag: '--interval', variable: 'COUPON_INTERVAL', fallback: '2s', about: 'time between two drain passes' },
  batch: { flag: '--batch', variable: 'COUPON_BATCH', fallback: '100', about: 'users per coupon and drain pass' },
  lease: { flag: '--lease', variable: 'COUPON_LEASE', fallback: '30s', about: 'how long a worker may keep a claim' },
  host: { flag: '--host', variable: 'COUPON_HOST', fallback: '127.0.0.1', about: 'where serve listens' },
  port: { flag: '--port', variable: 'COUPON_PORT', fallback: '8080', about: 'where serve listens' },
  maxPending: {
    flag: '--max-pending',
    variable: 'COUPON_MAX_PENDING',
    fallback: String(MAX_PENDING),
    about: 'requests that may wait for an answer; serve refuses more with 503',
  },
  maxInFlight: {
    flag: '--max-in-flight',
    variable: 'COUPON_MAX_IN_FLIGHT',
    fallback: String(MAX_IN_FLIGHT),
    about: 'requests that serve may have under way to Redis',
  },
  maxConnections: {
    flag: '--max-connections',
    variable: 'COUPON_MAX_CONNECTIONS',
    fallback: String(MAX_CONNECTIONS),
    about: 'connections that serve keeps open; it hangs up on more',
  },
  healthHost: {
    flag: '--health-host',
    variable: 'COUPON_HEALTH_HOST',
    fallback: '127.0.0.1',
    about: 'where drain serves health and metrics',
  },
  healthPort: {
    flag: '--health-port',
    variable: 'COUPON_HEALTH_PORT',
    fallback: 'off',
    about: 'where drain serves health and metrics, or off',
  },
} as const satisfies Record<string, SettingSpec>;

export type SettingName = keyof typeof SETTINGS;

/** Variables that say where the database is, or how to get in, one part each. */
const PARTS = [
  ...Object.values(PG_PARAMETERS).flatMap(({ variable = [] }) => variable),
  ...Object.keys(PG_VARIABLES).filter((name) => PG_VARIABLES[name] === 'honoured'),
];

/** The URL of a database that only variables describe. */
export const IN_PARTS = 'postgres://';

/** They say themselves what is wrong with their quotes, and show nothing of a password. */
const URLS: ReadonlySet<SettingName> = new Set(['redisUrl', 'databaseUrl']);

/** Variables of libpq in which a quote may mean something. */
const MAY_BE_QUOTED: ReadonlySet<string> = new Set(['PGPASSWORD', 'PGOPTIONS', 'PGAPPNAME']);

const OURS = 'COUPON_';

/** As Kubernetes sets them for every service in a namespace: a service called `coupon` gives COUPON_PORT=tcp://10.0.0.7:8080. */
const SERVICE_LINK = /^(tcp|udp|sctp):\/\//;

/** Flag, then environment, then file, then default; an empty variable counts as unset. */
export class Settings {
  readonly #env: Env;
  readonly #flags: Readonly<Record<string, unknown>>;
  readonly #file: ConfigFile;
  readonly #remark: (text: string) => void;
  readonly #remarks = new Set<string>();

  /**
   * @param flags options as commander gives them, by setting name
   * @param remark told of what looks like a setting and is none
   * @throws CouponError `BAD_CONFIG_FILE`
   */
  constructor(env: Env, flags: Readonly<Record<string, unknown>>, remark: (text: string) => void) {
    this.#env = env;
    this.#flags = flags;
    this.#remark = (text) => {
      // A setting is asked for by several parts of a command.
      if (this.#remarks.has(text)) return;
      this.#remarks.add(text);
      remark(text);
    };
    this.#file = readConfigFile(env, typeof flags['config'] === 'string' ? flags['config'] : null);
    for (const { vars, where } of this.#sources())
      for (const [name, value] of Object.entries(vars)) if (!SERVICE_LINK.test(value ?? '')) this.#remarkMisspelling(name, where);
  }

  /** @throws CouponError `QUOTED_SETTING` for quotes that belong to a shell */
  get(name: SettingName): Setting {
    const spec = SETTINGS[name];
    const flag = this.#flags[name];
    if (typeof flag === 'string' || typeof flag === 'number') return { value: String(flag), source: 'flag', from: spec.flag };
    for (const { vars, source, where } of this.#sources()) {
      const value = vars[spec.variable];
      if (!value) continue;
      if (!URLS.has(name)) refuseQuotes(spec.variable, value, where);
      if (!isServiceLink(name, value)) return { value, source, from: `${spec.variable}${where}` };
      this.#remark(`${spec.variable} is left out: it is a service link of Kubernetes (enableServiceLinks), not a port`);
    }
    return (name === 'databaseUrl' ? this.#inParts() : null) ?? { value: spec.fallback, source: 'default' };
  }

  /** What a message about a wrong value names: the flag, or the variable that it came from. */
  label(name: SettingName): string {
    return this.get(name).from ?? SETTINGS[name].flag;
  }

  /**
   * Variables that fill in what the URL of the database does not say, those of the environment before those of the file.
   *
   * @throws CouponError `QUOTED_SETTING`
   */
  get variables(): Readonly<Record<string, string | undefined>> {
    for (const { vars, where } of this.#sources())
      for (const name of PARTS) if (!MAY_BE_QUOTED.has(name)) refuseQuotes(name, vars[name] ?? '', where);
    const set = Object.entries(this.#env.vars).filter(([, value]) => value);
    return { ...this.#file.vars, ...Object.fromEntries(set) };
  }

  /** Settings as they are written in the file, for code that must know its secrets. */
  get fileVars(): Readonly<Record<string, string>> {
    return this.#file.vars;
  }

  #remarkMisspelling(name: string, where: string): void {
    const known = Object.values(SETTINGS).map(({ variable }): string => variable);
    if (!name.startsWith(OURS) || known.includes(name)) return;
    const names = known.filter((variable) => variable.startsWith(OURS)).map((variable) => variable.slice(OURS.length));
    const near = nearest(name.slice(OURS.length), names);
    if (near !== null) this.#remark(`${name}${where} is not a setting; did you mean ${OURS}${near}?`);
  }

  #sources(): { vars: Readonly<Record<string, string | undefined>>; source: 'environment' | 'file'; where: string }[] {
    return [
      { vars: this.#env.vars, source: 'environment', where: '' },
      { vars: this.#file.vars, source: 'file', where: ` in ${this.#file.path}` },
    ];
  }

  /** No URL names the database, and so the variables of libpq do. */
  #inParts(): Setting | null {
    const used = this.#sources().map(({ vars, ...rest }) => ({ ...rest, names: PARTS.filter((name) => vars[name]) }));
    const [first] = used.filter(({ names }) => names.length > 0);
    if (!first) return null;
    const from = used.flatMap(({ names, where }) => (names.length > 0 ? `${names.join(', ')}${where}` : [])).join('; ');
    return { value: IN_PARTS, source: first.source, from };
  }
}

function isServiceLink(name: SettingName, value: string): boolean {
  return (name === 'port' || name === 'healthPort') && SERVICE_LINK.test(value);
}

/** No setting has a quote at its edge, and a shell takes them away; what reads `KEY="value"` without a shell keeps them. */
function refuseQuotes(variable: string, value: string, where: string): void {
  if (!/^["'`]|["'`]$/.test(value)) return;
  throw usageError(
    'QUOTED_SETTING',
    `${variable}${where} begins or ends with a quote`,
    'Take the quotes away; `docker run --env-file` and lists in YAML keep them as they are.',
  );
}
