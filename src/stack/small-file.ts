import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const LONGEST = 4_096;

/**
 * The first few kilobytes of a file in a folder that another user may write: that user may have planted a link, or a pipe that no process
 * writes to. Null when there is no such file, or when it is none.
 */
function readSmallFile(file: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return null;
    const bytes = Buffer.alloc(LONGEST);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, LONGEST, 0));
  } catch {
    return null;
  } finally {
    closeSync(descriptor);
  }
}

/** The first line of a pid file, if there is one and it is a number. */
export function readPid(file: string): number | null {
  const pid = Number.parseInt(readSmallFile(file) ?? '', 10);
  return pid > 0 ? pid : null;
}
