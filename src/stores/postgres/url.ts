import { userInfo } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { CouponError } from '../../lib/errors.ts';
import { hostName, parameterName, portNumber, splitStoreUrl, type RefuseUrl } from '../../lib/store-url.ts';
import { nearest } from '../../lib/text/suggest.ts';
import { PG_PARAMETERS, PG_VARIABLES, type Parameter } from './parameters.ts';
import { passwordFromFile } from './pgpass.ts';
import { tlsOptions } from './tls.ts';

/** Everything that a connection is made with, in the words of the driver. It gets nothing else, so it asks the environment for nothing. */
export interface PgTarget {
  host: string;
  port: number;
  user: string;
  /** Null: there is none; `passwordNote` may say why. */
  password: string | null;
  passwordNote: string | null;
  database: string;
  ssl: false | ConnectionOptions;
  sslnegotiation: 'postgres' | 'direct';
  applicationName: string;
  connectTimeoutMs: number | null;
  keepAlive: boolean;
  keepAliveDelayMs: number | null;
  /** Of the session, as for the command line of a server. */
  options: string | null;
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

  const host = hostName(oneOf(word('host') ?? '127.0.0.1', refuseAs(words, 'host')), refuseAs(words, 'host'));
  const port = word('port');
  const target = {
    host,
    port: port === undefined ? 5432 : portNumber(oneOf(port, refuseAs(words, 'port')), refuseAs(words, 'port')),
    user: word('user') ?? systemUser(variables),
    database: word('dbname') ?? 'postgres',
  };
  const file = word('password') === undefined ? passwordFromFile(target, word('passfile'), variables['HOME']) : null;
  const tls = [...words].filter(([name]) => name.startsWith('ssl'));
  const ssl = tlsOptions(Object.fromEntries(tls.map(([name, { value }]) => [name, value])), refuseAs(words, ...tls.map(([name]) => name)));
  const direct = word('sslnegotiation') === 'direct';
  if (direct && ssl === false) throw refuse('sslnegotiation=direct needs TLS', 'Write sslmode=verify-full or sslmode=require as well.');
  return {
    ...target,
    password: word('password') ?? (file && 'password' in file ? file.password : null),
    passwordNote: file && 'note' in file ? file.note : null,
    // libpq: nothing is encrypted on a socket, whatever the mode says.
    ssl: host.startsWith('/') ? false : ssl,
    sslnegotiation: direct ? 'direct' : 'postgres',
    applicationName: word('application_name') ?? word('fallback_application_name') ?? 'coupon-cli',
    connectTimeoutMs: seconds(words, 'connect_timeout', 1),
    keepAlive: word('keepalives') !== '0',
    keepAliveDelayMs: seconds(words, 'keepalives_idle', 0),
    options: sessionOptions(variables),
    filledIn: [...filledIn, ...Object.keys(PG_VARIABLES).filter((name) => variables[name] && PG_VARIABLES[name] === 'honoured')],
    shown: shownUrl(words, target),
  };
}

function wordsOfUrl(text: string): Words {
  const { user, password, host, port, path, params } = splitStoreUrl(text, ['postgres', 'postgresql'], refuse);
  const words: Words = new Map();
  const say = (name: string, value: string): void => {
    const said = words.get(name);
    if (said && said.value !== value) throw refuse(`${name} is said twice`, `Write ${name} once, before the ? or behind it.`);
    words.set(name, { value, variable: null });
  };
  // An empty part says nothing, as in libpq.
  const parts = { user, password, host, port: port === null ? '' : String(port), dbname: path };
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

function oneOf(value: string, refuse: RefuseUrl): string {
  if (value.includes(',')) throw refuse('it names several hosts', 'Name the primary itself: lists of hosts are not supported yet.');
  return value;
}

function seconds(words: Words, name: string, least: number): number | null {
  const word = words.get(name);
  if (!word) return null;
  if (/^\d{1,5}$/.test(word.value) && Number(word.value) >= least) return Number(word.value) * 1_000;
  const fix = `Write whole seconds from ${least} to 99999.`;
  throw word.variable === null ? refuse(`this value of the parameter ${name} is not supported`, fix) : refuseVariable(word.variable, fix);
}

/** As libpq does, which sends these three with each session. */
function sessionOptions(variables: Variables): string | null {
  const { PGOPTIONS, PGDATESTYLE, PGTZ, PGGEQO } = variables;
  if (PGDATESTYLE && !/^iso\b/i.test(PGDATESTYLE))
    throw refuseVariable('PGDATESTYLE', 'Unset it, or write ISO: the driver reads no other.');
  const set = (name: string, value: string | undefined): string => (value ? `-c ${name}=${value.replaceAll(/[\\\s]/g, '\\$&')}` : '');
  const options = [PGOPTIONS, set('DateStyle', PGDATESTYLE), set('TimeZone', PGTZ), set('geqo', PGGEQO)];
  return options.filter(Boolean).join(' ') || null;
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

function shownUrl(words: Words, target: { host: string; port: number; database: string }): string {
  const user = words.get('user')?.value ?? '';
  const login = words.has('password') ? `${encodeURIComponent(user)}:***@` : user && `${encodeURIComponent(user)}@`;
  const host = target.host.includes(':') ? `[${target.host}]` : encodeURIComponent(target.host);
  const rest = [...words]
    .filter(([name]) => !['host', 'port', 'user', 'password', 'dbname'].includes(name))
    .map(([name, { value }]) => `${name}=${name === 'sslpassword' ? '***' : encodeURIComponent(value).replaceAll('%2F', '/')}`);
  const query = rest.length > 0 ? `?${rest.join('&')}` : '';
  return `postgres://${login}${host}:${target.port}/${encodeURIComponent(target.database)}${query}`;
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
