import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 65_536;

/**
 * The text of a file, chunk by chunk: a table of millions of users never lies in memory as one string.
 *
 * @throws what the file system says, and TypeError when the file is not UTF-8
 */
export function* textChunks(path: string): Generator<string, void> {
  const file = openSync(path, 'r');
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      yield decoder.decode(buffer.subarray(0, read), { stream: true });
    }
    yield decoder.decode();
  } finally {
    closeSync(file);
  }
}
