import { userInfo } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { CouponError } from '../../../lib/errors.ts';
import { hostName, parameterName, portNumber, splitStoreUrl, type RefuseUrl } from '../../../lib/store-url.ts';
import { nearest } from '../../../lib/text/suggest.ts';
import { PG_PARAMETERS, PG_VARIABLES, type Parameter } from './parameters.ts';
import { passwordFromFile } from './pgpass.ts';
import type { Role } from '../roles.ts';
import { tlsOptions } from './tls.ts';

/** Everything that a connection is made with, in the words of the driver. It gets nothing else, so it asks the environment for nothing. */
export interface PgTarget {
  /** The first of {@link hosts}, for messages. */
  host: string;
  port: number;
  /** In the order in which they are tried. */
  hosts: readonly { host: string; port: number }[];
  /** What the server must be. */
  role: Role;
  user: string;
  /** Null: there is none; `passwordNote` may say why. */
  password: string | null;
  passwordNote: string | null;
  database: string;
  /** Ways to encrypt, in the order in which they are tried. */
  tls: readonly (false | ConnectionOptions)[];
  channelBinding: 'disable' | 'prefer' | 'require';
  sslnegotiation: 'postgres' | 'direct';
  applicationName: string;
  connectTimeoutMs: number | null;
  keepAlive: boolean;
  keepAliveDelayMs: number | null;
  /** Of each session, by name. */
  settings: Readonly<Record<string, string>>;
  /** Where the tables are, and are made; null: wherever the search path leads. */
  schema: string | null;
  /** Known to be behind a pooler in transaction mode; it is found out otherwise. */
  pooled: boolean;
  /** Variables of the environment that had a say. */
  filledIn: readonly string[];
  /** The URL for people to read, without the password. */
  shown: string;
}

export type Variables = Readonly<Record<string, string | undefined>>;

const FIX = 'Write postgres://user:password@host:5432/database?sslmode=verify-full (or disable, require, verify-ca).';

/** Where a word comes from decides what a refusal says. */
type Words = Map<string, { value: string; variable: string | null }>;

/**
 * What a `postgres://` URL asks for. What it does not say, the variables of libpq fill in, as they do for psql; what they do not say
 * either, is 127.0.0.1:5432, the user of this process and the database postgres. Every word is honoured or refused by its name.
 *
 * @param variables of the environment; none where nothing but the URL counts
 * @throws CouponError `BAD_DATABASE_URL`, which repeats nothing of the URL
 */
export function parseDatabaseUrl(text: string, variables: Variables = {}): PgTarget {
  const words = wordsOfUrl(text);
  const filledIn = fillIn(words, variables);
  for (const [name, { value, variable }] of words) checkWord(name, value, variable);
  const word = (name: string): string | undefined => words.get(name)?.value;

  const hosts = hostList(words);
  const target = {
    ...hosts[0]!,
    hosts,
    user: word('user') ?? systemUser(variables),
    database: word('dbname') ?? 'postgres',
  };
  const file = word('password') === undefined ? passwordFromFile(target, word('passfile'), variables['HOME']) : null;
  const tls = [...words].filter(([name]) => name.startsWith('ssl'));
  const ways = tlsOptions(Object.fromEntries(tls.map(([name, { value }]) => [name, value])), refuseAs(words, ...tls.map(([name]) => name)));
  const direct = word('sslnegotiation') === 'direct';
  const channelBinding = (word('channel_binding') ?? 'disable') as PgTarget['channelBinding'];
  if (channelBinding === 'require' && ways.includes(false))
    throw refuse('channel_binding=require needs TLS', 'Write sslmode=verify-full or sslmode=require as well.');
  if (direct && ways.includes(false))
    throw refuse('sslnegotiation=direct needs TLS', 'Write sslmode=verify-full or sslmode=require as well.');
  return {
    ...target,
    password: word('password') ?? (file && 'password' in file ? file.password : null),
    passwordNote: file && 'note' in file ? file.note : null,
    tls: ways,
    channelBinding,
    role: (word('target_session_attrs') ?? 'any') as Role,
    sslnegotiation: direct ? 'direct' : 'postgres',
    applicationName: word('application_name') ?? word('fallback_application_name') ?? 'coupon-cli',
    connectTimeoutMs: seconds(words, 'connect_timeout', 1),
    keepAlive: word('keepalives') !== '0',
    keepAliveDelayMs: seconds(words, 'keepalives_idle', 0),
    ...sessionOf(words, variables),
    pooled: word('pgbouncer') === 'true',
    filledIn: [...filledIn, ...Object.keys(PG_VARIABLES).filter((name) => variables[name] && PG_VARIABLES[name] === 'honoured')],
    shown: shownUrl(words, target),
  };
}

function wordsOfUrl(text: string): Words {
  const { user, password, hosts, path, params } = splitStoreUrl(text, ['postgres', 'postgresql'], refuse, true);
  const words: Words = new Map();
  const say = (name: string, value: string): void => {
    const said = words.get(name);
    if (said && said.value !== value) throw refuse(`${name} is said twice`, `Write ${name} once, before the ? or behind it.`);
    words.set(name, { value, variable: null });
  };
  // An empty part says nothing, as in libpq.
  const ports = hosts.map(({ port }) => port ?? '').join(',');
  const parts = { user, password, host: hosts.map(({ host }) => host).join(','), port: ports.replace(/^,*$/, ''), dbname: path };
  for (const [name, value] of Object.entries(parts)) if (value) say(name, value);
  for (const [name, value] of params) {
    if (value === '') throw refuse(`${parameterName(name)} has no value`, 'Give it a value, or leave it out.');
    say(name, value);
  }
  return words;
}

/** @returns the variables that said something */
function fillIn(words: Words, variables: Variables): string[] {
  const used: string[] = [];
  for (const [name, { variable }] of Object.entries(PG_PARAMETERS)) {
    const value = variable === undefined ? undefined : variables[variable];
    if (!value || words.has(name) || (name === 'sslmode' && words.has('ssl'))) continue;
    words.set(name, { value, variable: variable! });
    used.push(variable!);
  }
  return used;
}

function checkWord(name: string, value: string, variable: string | null): void {
  const parameter = Object.hasOwn(PG_PARAMETERS, name) ? PG_PARAMETERS[name] : undefined;
  if (parameter && (parameter.only?.includes(value) ?? parameter.instead === undefined)) return;
  if (variable !== null) throw refuseVariable(variable, variableFix(parameter));
  if (parameter?.only) throw refuse(`this value of ${parameterName(name)} is not supported`, parameter.instead);
  const near = parameter ? null : nearest(name, Object.keys(PG_PARAMETERS));
  const fix = parameter?.instead ?? (near === null ? 'Leave it out.' : `Did you mean ${near}? Otherwise leave it out.`);
  throw refuse(`${parameterName(name)} is not supported`, fix);
}

function variableFix({ only, instead = '' }: Parameter = {}): string {
  const reason = instead.replace(/^Leave it out(: |, and | and |\.)?/, '');
  const unset = only ? `Set it to ${only.join(' or ')}, or unset it.` : 'Unset it.';
  return `${unset} ${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}`.trimEnd();
}

/** As libpq: a list of hosts goes with one port, or with as many; an empty one is 5432. */
function hostList(words: Words): { host: string; port: number }[] {
  const [asHost, asPort] = [refuseAs(words, 'host'), refuseAs(words, 'port')];
  const hosts = (words.get('host')?.value ?? '127.0.0.1').split(',');
  const ports = (words.get('port')?.value ?? '5432').split(',');
  if (ports.length > 1 && ports.length !== hosts.length)
    throw asPort(`it names ${hosts.length} hosts and ${ports.length} ports`, 'Name one port, or one for each host.');
  return hosts.map((host, index) => {
    if (host === '') throw asHost('a host of its list is empty', FIX);
    const port = (ports.length === 1 ? ports[0] : ports[index]) ?? '';
    return { host: hostName(host, asHost), port: port === '' ? 5432 : portNumber(port, asPort) };
  });
}

function seconds(words: Words, name: string, least: number): number | null {
  const word = words.get(name);
  if (!word) return null;
  if (/^\d{1,5}$/.test(word.value) && Number(word.value) >= least) return Number(word.value) * 1_000;
  const fix = `Write whole seconds from ${least} to 99999.`;
  throw word.variable === null ? refuse(`this value of the parameter ${name} is not supported`, fix) : refuseVariable(word.variable, fix);
}

/** What libpq sends with each session, and the schema in the words of several drivers. */
function sessionOf(words: Words, variables: Variables): Pick<PgTarget, 'settings' | 'schema'> {
  const { PGOPTIONS, PGDATESTYLE, PGTZ, PGGEQO, COUPON_SCHEMA } = variables;
  if (PGDATESTYLE && !/^iso\b/i.test(PGDATESTYLE))
    throw refuseVariable('PGDATESTYLE', 'Unset it, or write ISO: the driver reads no other.');
  const written = words.get('options')?.value;
  const settings: Record<string, string> = {
    ...(PGOPTIONS ? optionsOf(PGOPTIONS, (why) => refuseVariable('PGOPTIONS', why)) : {}),
    ...(PGDATESTYLE ? { DateStyle: PGDATESTYLE } : {}),
    ...(PGTZ ? { TimeZone: PGTZ } : {}),
    ...(PGGEQO ? { geqo: PGGEQO } : {}),
    ...(written ? optionsOf(written, (why) => refuse('its options cannot be read', why)) : {}),
  };
  const named = [...SCHEMA_WORDS.map((name) => words.get(name)?.value), COUPON_SCHEMA].find((value) => value);
  const path = named ?? settings['search_path'];
  if (path === undefined) return { settings, schema: null };
  const names = path.split(',').map((name) => schemaName(name.trim()));
  return {
    settings: { ...settings, search_path: names.map((name) => `"${name}"`).join(', ') },
    schema: names.find((name) => name !== '$user') ?? null,
  };
}

const SCHEMA_WORDS = ['schema', 'currentSchema', 'current_schema', 'search_path'];

/** Quoted or not; what would need more than that is refused. */
function schemaName(written: string): string {
  const name = /^"(.*)"$/.exec(written)?.[1] ?? written.toLowerCase();
  if (/^(\$user|[\p{L}_][\p{L}\p{N}_$-]{0,62})$/u.test(name)) return name;
  throw refuse('its schema is no name', 'Write letters, digits, "_" and "-", such as schema=coupons.');
}

/** `-c name=value`, `-cname=value` and `--name=value`, blanks and backslashes escaped by a backslash. */
function optionsOf(text: string, bad: (fix: string) => Error): Record<string, string> {
  const options: Record<string, string> = {};
  const words = [...text.matchAll(/(?:\\.|[^\s\\])+/gs)].map(([word]) => word.replaceAll(/\\(.)/gs, '$1'));
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!;
    const pair = word === '-c' ? (words[(index += 1)] ?? '') : word.replace(/^(-c|--)/, '');
    const [, name, value] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined || (pair === word && !word.startsWith('-c'))) throw bad('Write -c NAME=VALUE for each setting of the session.');
    options[name.replaceAll('-', '_')] = value!;
  }
  return options;
}

/** The user of this process, which is who libpq logs in as when no other is named. */
function systemUser(variables: Variables): string {
  try {
    return userInfo().username;
  } catch {
    // An account without a name, as containers have.
    const name = variables['USER'];
    if (name) return name;
    throw refuse('it names no user, and this process runs as a user without a name');
  }
}

function shownUrl(words: Words, target: Pick<PgTarget, 'hosts' | 'database'>): string {
  const user = words.get('user')?.value ?? '';
  const login = words.has('password') ? `${encodeURIComponent(user)}:***@` : user && `${encodeURIComponent(user)}@`;
  const hosts = target.hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${port}`).join(',');
  const rest = [...words]
    .filter(([name]) => !['host', 'port', 'user', 'password', 'dbname'].includes(name))
    .map(([name, { value }]) => `${name}=${name === 'sslpassword' ? '***' : encodeURIComponent(value).replaceAll('%2F', '/')}`);
  const query = rest.length > 0 ? `?${rest.join('&')}` : '';
  return `postgres://${login}${hosts}/${encodeURIComponent(target.database)}${query}`;
}

const refuse: RefuseUrl = (why, fix = FIX) =>
  new CouponError({ code: 'BAD_DATABASE_URL', kind: 'usage', message: `the database URL cannot be used: ${why}`, fix });

/** For words that may have come from the environment: their variables are named. */
function refuseAs(words: Words, ...names: string[]): RefuseUrl {
  const variables = names.map((name) => words.get(name)?.variable).filter((variable) => typeof variable === 'string');
  return (why, fix) => refuse(variables.length > 0 ? `${why} (set in the environment: ${variables.join(', ')})` : why, fix);
}

function refuseVariable(variable: string, fix: string): CouponError {
  return new CouponError({ code: 'BAD_DATABASE_URL', kind: 'usage', message: `the value of ${variable} is not supported`, fix });
}
