import { chownSync, closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOnPath, lastLines, run, type Identity } from '../../../src/lib/process/processes.ts';
import { testHost } from '../../support/host.ts';

/**
 * Libraries that are preloaded into a real server and change what it sees of its disk and its clock (`../shims`), and the page that they
 * share with us. They are compiled where they are needed: no binary lies in the repository.
 */
export interface Shims extends Disposable {
  /** For the server that is to run with them. */
  env: Record<string, string>;
  /** Whether a server took them up. A library for another C library, say, is left out with no more than a line on stderr. */
  loaded(): boolean;
  /** How long each fsync and fdatasync takes from now on, also those that wait already. */
  setFsyncDelay(ms: number): void;
  /** Added to the real time of day. */
  setClockOffset(ms: number): void;
  /** How much of this file a loss of power leaves: as much as there was when the last successful sync of it began. */
  synced(file: string): number;
  /** For a server that is down: these files, which we have put there or changed, are on disk as they are, and no others are. */
  assumeSynced(files: readonly string[]): void;
}

/** Layout of `control.h`: 8-byte integers; four of them, then pairs of inode and bytes. */
const LOADED = 0;
const FSYNC_DELAY_US = 8;
const CLOCK_OFFSET_US = 16;
const UNRECORDED = 24;
const SYNCED = 32;
const SLOTS = 1_024;
const SLOT_BYTES = 16;
const PAGE_BYTES = SYNCED + SLOTS * SLOT_BYTES;

const COMPILE_MS = 60_000;

/** Null where there is nothing to compile with, or nothing to preload into. */
export function findCompiler(): string | null {
  const host = testHost();
  return host.platform === 'linux' ? findOnPath(host, ['cc', 'gcc', 'clang']) : null;
}

/**
 * @param sources names in `../shims`, without ending
 * @param owner the user that the server runs as, if not this one
 * @returns or, in words, why there are none on this machine
 */
export async function buildShims(dir: string, sources: readonly string[], owner: Identity | null = null): Promise<Shims | string> {
  const host = testHost();
  const compiler = findCompiler();
  if (compiler === null) return 'there is no C compiler, or this is not Linux';
  const library = join(dir, 'shims.so');
  const files = sources.map((name) => fileURLToPath(new URL(`../shims/${name}.c`, import.meta.url)));
  const made = await run(compiler, ['-shared', '-fPIC', '-O1', '-o', library, ...files], {
    env: { PATH: host.path, TMPDIR: host.tmpDir },
    timeoutMs: COMPILE_MS,
  });
  if (made.code !== 0) return `${compiler} failed: ${lastLines(made.stderr)}`;

  const control = join(dir, 'control');
  const page = openSync(control, 'w+', 0o600);
  ftruncateSync(page, PAGE_BYTES);
  if (owner !== null) chownSync(control, owner.uid, owner.gid);
  return {
    env: { LD_PRELOAD: library, COUPON_FAULTS_CONTROL: control },
    ...sharedPage(page),
  };
}

/** The shims of a server that has started; why there are none, also when it did not take them up. */
export function onceStarted(shims: Shims | string): Shims | string {
  return typeof shims === 'string' || shims.loaded() ? shims : 'the server did not take up the preloaded library';
}

export function needed(shims: Shims | string): Shims {
  if (typeof shims === 'string') throw new Error(`this needs preloaded libraries: ${shims}`);
  return shims;
}

function sharedPage(page: number): Omit<Shims, 'env'> {
  const whole = Buffer.alloc(PAGE_BYTES);
  const refresh = (): void => void readSync(page, whole, 0, PAGE_BYTES, 0);
  const write = (offset: number, value: number | bigint): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    writeSync(page, bytes, 0, 8, offset);
  };
  const slot = (index: number): number => SYNCED + index * SLOT_BYTES;
  return {
    loaded() {
      refresh();
      return whole.readBigInt64LE(LOADED) > 0;
    },
    setFsyncDelay: (ms) => write(FSYNC_DELAY_US, Math.round(ms * 1_000)),
    setClockOffset: (ms) => write(CLOCK_OFFSET_US, Math.round(ms * 1_000)),
    synced(file) {
      refresh();
      if (whole.readBigInt64LE(UNRECORDED) > 0) throw new Error(`more than ${SLOTS} files were synced: the record is not complete`);
      const { ino, size } = statSync(file, { bigint: true });
      for (let index = 0; index < SLOTS; index += 1) {
        if (whole.readBigInt64LE(slot(index)) !== ino) continue;
        const bytes = whole.readBigInt64LE(slot(index) + 8);
        return Number(bytes < size ? bytes : size);
      }
      return 0;
    },
    assumeSynced(files) {
      writeSync(page, Buffer.alloc(PAGE_BYTES - UNRECORDED), 0, PAGE_BYTES - UNRECORDED, UNRECORDED);
      for (const [index, file] of files.entries()) {
        const { ino, size } = statSync(file, { bigint: true });
        write(slot(index), ino);
        write(slot(index) + 8, size);
      }
    },
    [Symbol.dispose]: () => closeSync(page),
  };
}
