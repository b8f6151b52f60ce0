import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 65_536;

/**
 * The text of a file, chunk by chunk: a table of millions of users never lies in memory as one string.
 *
 * @throws what the file system says, and an Error without a code when the file is not UTF-8
 */
export function* textChunks(path: string): Generator<string, void> {
  const file = openSync(path, 'r');
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      yield decoded(decoder, buffer.subarray(0, read));
    }
    yield decoded(decoder);
  } finally {
    closeSync(file);
  }
}

/** @param bytes left out: the end of the file */
function decoded(decoder: InstanceType<typeof TextDecoder>, bytes?: Uint8Array): string {
  try {
    // Every second byte of UTF-16 is a NUL, which no text has.
    if (!bytes?.includes(0)) return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
  } catch {
    // Said below.
  }
  throw new Error('it is not UTF-8');
}
