import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Stack } from '../../src/stack/stack.ts';
import { stackPaths } from '../../src/stack/paths.ts';
import { STATEMENT_RIGHTS } from '../../src/stores/postgres/statement-rights.ts';
import type { Programs } from './versions.ts';
import { SCRIPTS, scriptSource, type ScriptName } from '../../src/stores/redis/script.ts';

/** What a run of tests was run on, as the servers say themselves, and which scripts and statements these servers never got to run. */
export interface Witness extends Programs {
  untouched: string[];
}

/** Where tests on a server of their own note the scripts that it has run. */
const notesOf = (file: string): string => `${file}.scripts`;

/** Makes PostgreSQL write down what it executes. Returns a function that writes the testimony, to be called before the stack goes. */
export async function watchStack(stack: Stack, file: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  await client.query(`ALTER SYSTEM SET log_statement = 'all'`);
  await client.query('SELECT pg_reload_conf()');
  await client.end();
  return async () => {
    const touched = new Set<string>(await knownScripts(stack.redisUrl));
    if (existsSync(notesOf(file))) for (const name of readFileSync(notesOf(file), 'utf8').split('\n')) touched.add(name);
    const scripts = Object.keys(SCRIPTS).filter((name) => !touched.has(name));
    const witness: Witness = {
      redis: await redisName(stack),
      postgres: `PostgreSQL ${stack.postgres.version ?? '?'}`,
      node: `Node ${process.versions.node}`,
      untouched: [...scripts.map((name) => `${name}.lua`), ...unknownStatements(stackPaths(stack.dir).postgresLog)],
    };
    writeFileSync(file, JSON.stringify(witness));
  };
}

/** For a server of a test's own, at its end. */
export async function noteScripts(port: number, password?: string): Promise<void> {
  const file = process.env['COUPON_TEST_WITNESS'];
  if (!file) return;
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  for (const name of await knownScripts(`redis://${login}127.0.0.1:${port}`)) appendFileSync(notesOf(file), `${name}\n`);
}

/** A server remembers every script that it has run. */
async function knownScripts(url: string): Promise<ScriptName[]> {
  const redis = new Redis(url);
  try {
    const names = Object.keys(SCRIPTS) as ScriptName[];
    const digests = names.map((name) => createHash('sha1').update(scriptSource(name)).digest('hex'));
    const known = (await redis.script('EXISTS', ...digests)) as number[];
    return names.filter((_name, at) => known[at] === 1);
  } finally {
    redis.disconnect();
  }
}

/** Statements are prepared under their names, which the log repeats. */
function unknownStatements(log: string): string[] {
  const said = readFileSync(log, 'utf8');
  const names = Object.keys(STATEMENT_RIGHTS);
  return names.filter((name) => !said.includes(`execute ${name}: `)).map((name) => `${name}.sql`);
}

async function redisName(stack: Stack): Promise<string> {
  const redis = new Redis(stack.redisUrl);
  const info = await redis.info('server');
  redis.disconnect();
  return `${info.includes('valkey_version:') ? 'Valkey' : 'Redis'} ${stack.redis.version ?? '?'}`;
}
