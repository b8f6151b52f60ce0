import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CouponError, usageError } from '../lib/errors.ts';
import { isRoot, type Host } from '../lib/process/host.ts';

/** Where everything of one stack lies. */
export interface StackPaths {
  dir: string;
  lock: string;
  /** Ports and routes, see state.ts. */
  state: string;
  secrets: string;
  redis: string;
  redisLog: string;
  /** Belongs to the user that PostgreSQL runs as; the data folder is inside. */
  postgres: string;
  postgresData: string;
  postgresLog: string;
  /** The users that may log in to PostgreSQL, and how. */
  postgresHba: string;
}

export function stackPaths(folder: string): StackPaths {
  const dir = resolve(folder); // it goes into command lines of servers that work elsewhere
  return {
    dir,
    lock: join(dir, 'lock'),
    state: join(dir, 'stack.json'),
    secrets: join(dir, 'secrets.json'),
    redis: join(dir, 'redis'),
    redisLog: join(dir, 'redis.log'),
    postgres: join(dir, 'postgres'),
    postgresData: join(dir, 'postgres', 'data'),
    postgresLog: join(dir, 'postgres.log'),
    postgresHba: join(dir, 'pg_hba.conf'),
  };
}

/**
 * The folder of a clone's stack: short, outside of any home, kept over a reboot.
 * A home is often 0700, and PostgreSQL, which never runs as root, could not enter it; the user id keeps two users of one clone apart.
 */
export function defaultStackDir(host: Host, clonePath: string, name?: string): string {
  if (name !== undefined && !/^[a-z0-9][a-z0-9-]{0,30}$/.test(name)) {
    throw usageError('STACK_NAME_INVALID', `"${name}" cannot name a stack`, 'Use up to 31 of a-z, 0-9 and "-".');
  }
  const clone = existsSync(clonePath) ? realpathSync(clonePath) : clonePath;
  const hash = createHash('sha256').update(clone).digest('hex').slice(0, 8);
  const suffix = name === undefined ? '' : `-${name}`;
  return join(existsSync('/var/tmp') ? '/var/tmp' : host.tmpDir, `coupon-cli-${host.uid ?? 'user'}-${hash}${suffix}`);
}

/** Programs that had to be fetched lie next to the stacks, once for all stacks of a user. */
export function cacheDir(host: Host, stackDir: string): string {
  return join(dirname(stackDir), `coupon-cli-${host.uid ?? 'user'}-cache`);
}

/**
 * Creates the folder, or makes sure that the one that is there is ours.
 * Anyone may create names in /var/tmp: a folder that another user prepared could hold programs or data of their choice.
 */
export function ensureOwnFolder(host: Host, dir: string, mode: number): void {
  mkdirSync(dirname(dir), { recursive: true });
  try {
    mkdirSync(dir, { mode });
    chmodSync(dir, mode); // whatever the umask says
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    isOwnFolder(host, dir);
  }
}

/** False when there is no such folder; throws when it is not ours alone to write. */
export function isOwnFolder(host: Host, dir: string): boolean {
  const found = lstatSync(dir, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const foreign = host.uid !== null && found.uid !== host.uid;
  if (!found.isDirectory() || foreign || (found.mode & 0o022) !== 0) {
    throw new CouponError({
      code: 'STACK_DIR_NOT_OURS',
      kind: 'usage',
      message: `${dir} is not a folder that only you can write`,
      why: foreign ? `it belongs to user id ${found.uid}` : found.isDirectory() ? 'others may write it' : 'it is a link or a file',
      fix: 'Use another folder, or remove this one after looking at it.',
    });
  }
  return true;
}

/** A stack of root lets the user of PostgreSQL pass, but not look; everyone else keeps theirs shut. */
export function stackFolderMode(host: Host): number {
  return isRoot(host) ? 0o711 : 0o700;
}

/** As root, PostgreSQL runs as another user, who has to be able to reach its data. */
export function refusePrivateParent(host: Host, dir: string): void {
  if (!isRoot(host)) return;
  for (let folder = dirname(dir); folder !== dirname(folder); folder = dirname(folder)) {
    if ((lstatSync(folder).mode & 0o001) === 0 && !lstatSync(folder).isSymbolicLink()) {
      throw usageError(
        'STACK_DIR_PRIVATE',
        `the stack cannot lie in ${dir}: PostgreSQL does not run as root, and no other user may enter ${folder}`,
        'Use a folder such as /var/tmp/coupon-cli-stack.',
      );
    }
  }
}
