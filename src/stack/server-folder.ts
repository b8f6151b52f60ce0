import { lstatSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { CouponError } from '../lib/errors.ts';
import { serverEnvironment, type Host } from '../lib/process/host.ts';
import { lastLines, run, type Identity } from '../lib/process/processes.ts';

const WORK_MS = 60_000;

/**
 * The data folder of a server inside the stack's folder, which only we can write. It belongs to the user that the server runs as. What is
 * inside may be of that user's making, links included: root neither writes, nor chowns, nor removes anything in there by itself.
 */
export async function prepareServerFolder(host: Host, folder: string, as: Identity | null): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(folder);
  if (as === null || uid === as.uid) return;
  if (uid !== host.uid) {
    throw new CouponError({
      code: 'STACK_DIR_NOT_OURS',
      kind: 'usage',
      message: `${folder} belongs to user id ${uid}, and the servers run as ${as.name}`,
      fix: 'Remove the stack after looking at it, and start over.',
    });
  }
  // Made a moment ago, or by an earlier version that ran the server as root: no other user has been able to write in it.
  const env = serverEnvironment(host);
  const { code, stderr } = await run('chown', ['-R', '-h', `${as.uid}:${as.gid}`, folder], { env, timeoutMs: WORK_MS });
  if (code === 0) return;
  throw new CouponError({
    code: 'STACK_FOLDER_FAILED',
    kind: 'failure',
    message: `${folder} cannot be given to the user ${as.name}`,
    why: lastLines(stderr),
    fix: 'Use a folder on a file system that knows owners, such as one below /var/tmp.',
  });
}

/** Removes it as its owner: a tree that changes meanwhile must not lead root astray. */
export async function removeServerFolder(host: Host, folder: string, as: Identity | null): Promise<void> {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (as === null || found.uid !== as.uid) {
    rmSync(folder, { recursive: true, force: true });
    return;
  }
  const remove = ['-mindepth', '1', '-delete'];
  await run('find', [folder, ...remove], { env: serverEnvironment(host), timeoutMs: WORK_MS, as });
  rmdirSync(folder);
}
