import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Redis } from 'ioredis';
import { DENIED } from './connection/errors.ts';
import type { CouponKeys } from './keys/keys.ts';
import { toBytes } from './keys/members.ts';
import { ARGUMENTS, SCRIPT_RIGHTS, type KeyRights } from './script-rights.ts';

/**
 * The Lua scripts and their fixed keys, in the order of KEYS. A test holds this table against the contract on top of each
 * file. EVALSHA and its fallback when the server has forgotten a script are ioredis's business.
 */
export const SCRIPTS = {
  admit: ['coupon', 'queue', 'admitted', 'leases', 'dead'],
  'read-refusal': ['coupon', 'queue', 'admitted'],
  claim: ['coupon', 'queue', 'admitted', 'leases', 'dead', 'claims'],
  ack: ['coupon', 'queue', 'leases', 'claims', 'dead'],
  release: ['coupon', 'queue', 'leases', 'claims'],
  bury: ['coupon', 'queue', 'leases', 'dead', 'claims'],
  retry: ['coupon', 'queue', 'admitted', 'dead'],
  drop: ['coupon', 'queue', 'admitted', 'dead', 'claims'],
  verify: ['coupon', 'life'],
  suspect: ['coupon'],
  seed: ['coupon', 'queue', 'admitted', 'leases', 'dead', 'claims', 'life'],
  retire: ['coupon'],
  change: ['coupon'],
  adopt: ['coupon', 'queue', 'admitted', 'leases', 'dead', 'claims'],
  requeue: ['coupon', 'queue', 'admitted', 'leases', 'dead', 'claims'],
  rehash: ['coupon'],
  forget: ['coupon', 'queue', 'admitted', 'leases', 'dead', 'claims'],
  'evict-excess': ['coupon', 'queue', 'admitted', 'leases', 'dead', 'claims'],
  bind: ['coupon', 'life'],
  restore: ['coupon', 'admitted', 'dead', 'queue', 'claims'],
  'take-over': ['coupon', 'queue', 'admitted'],
  'finish-adoption': ['coupon', 'admitted', 'life'],
  rewritten: ['coupon', 'queue', 'admitted', 'dead', 'claims', 'life'],
  use: [],
  'compare-rows': ['admitted', 'queue', 'leases', 'claims', 'dead'],
  'read-leases': ['leases', 'claims'],
  'read-users': ['admitted', 'queue', 'leases', 'claims', 'dead'],
  'try-rights': [],
} as const satisfies Record<string, readonly Exclude<keyof CouponKeys, 'issued'>[]>;

export type ScriptName = keyof typeof SCRIPTS;

/** With what it includes, because a script cannot call another one, and with a look at what its user may do below the contract. */
export function scriptSource(name: ScriptName): string {
  const whole = luaFile(name).replace(/^-- include (\S+)$/gm, (_line, part: string) => luaFile(part.replace('.lua', '')));
  return whole.replace('\n\n', () => `\n${rightsCheck(name)}\n`);
}

/** Of an argument, the key of an issued hash up to the user id. */
const ISSUED_PREFIX: Partial<Record<ScriptName, string>> = { admit: 'ARGV[2]', ack: 'ARGV[4]' };

/**
 * Redis takes no write of a script back when it refuses the next one, so every command that it may run is asked about first: 0.2 µs each.
 * Servers before 7.0 cannot tell.
 */
function rightsCheck(name: ScriptName): string {
  const rights: KeyRights = SCRIPT_RIGHTS[name];
  const checks = Object.entries(rights).flatMap(([key, commands]) => commands.split(' ').map((one) => rightCheck(name, key, one)));
  if (checks.length === 0) return '';
  return `if redis.acl_check_cmd then local denied = '' ${checks.join(' ')} if denied ~= '' then return redis.error_reply('${DENIED}' .. denied) end end`;
}

function rightCheck(name: ScriptName, key: string, command: string): string {
  const fixed: readonly string[] = SCRIPTS[name];
  const upper = command.toUpperCase();
  const rest = (ARGUMENTS[command] ?? []).map((word) => `, '${word}'`).join('');
  const deny = (test: string): string => `if ${test} then denied = denied .. ' ${upper}' end`;
  if (key === 'none') return deny(`not redis.acl_check_cmd('${upper}'${rest})`);
  if (key !== 'issued') return deny(`not redis.acl_check_cmd('${upper}', KEYS[${fixed.indexOf(key) + 1}]${rest})`);
  const prefix = ISSUED_PREFIX[name];
  if (prefix !== undefined) return deny(`not redis.acl_check_cmd('${upper}', ${prefix} .. '-'${rest})`);
  // There may be no user, and so no key.
  const first = `KEYS[${fixed.length + 1}]`;
  return deny(`${first} and not redis.acl_check_cmd('${upper}', ${first}${rest})`);
}

/** Folders are for readers: names are unique. */
const LUA = new URL('./lua/', import.meta.url);
const files = new Map(readdirSync(LUA, { recursive: true, encoding: 'utf8' }).map((path) => [basename(path, '.lua'), path]));

function luaFile(name: string): string {
  return readFileSync(new URL(files.get(name)!, LUA), 'utf8');
}

export function defineScripts(client: Redis): void {
  for (const name of Object.keys(SCRIPTS) as ScriptName[]) client.defineCommand(name, { lua: scriptSource(name) });
}

/**
 * Runs a script on the keys of one coupon.
 *
 * @param users whose issued keys follow the fixed ones in KEYS
 */
export function runScript(
  client: Redis,
  name: ScriptName,
  keys: CouponKeys,
  users: readonly string[],
  args: readonly Arg[],
): Promise<unknown> {
  const all = [...SCRIPTS[name].map((key) => keys[key]), ...users.map((user) => toBytes(keys.issued(user)))];
  const commands = client as unknown as Record<ScriptName, (...args: Arg[]) => Promise<unknown>>;
  return commands[name](all.length, ...all, ...args);
}

/** As {@link runScript}, where the reply may name members: texts come as buffers, see {@link toText}. */
export function runScriptForBytes(client: Redis, name: ScriptName, keys: CouponKeys, args: readonly Arg[]): Promise<unknown> {
  const all = SCRIPTS[name].map((key) => keys[key]);
  const commands = client as unknown as Record<`${ScriptName}Buffer`, (...args: Arg[]) => Promise<unknown>>;
  return commands[`${name}Buffer`](all.length, ...all, ...args);
}

type Arg = string | number | Buffer;

/** Users in one script that writes to several keys for each: about 2 ms of Redis on a slow machine. */
export const SCRIPT_USERS = 200;
