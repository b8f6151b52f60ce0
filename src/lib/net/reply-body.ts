import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib';

/**
 * The body of a reply as it comes in. Chunks are kept as bytes and decoded as a whole: a chunk may end within a character. Only
 * the beginning is kept, so that a reply without an end costs no memory.
 */

/** Enough for any answer to a request for a coupon. */
const KEPT_BYTES = 65_536;
/** A reply that is longer, headers and all, is cut off. */
export const REPLY_LIMIT_BYTES = 1_048_576;

export class ReplyBody {
  #chunks: Uint8Array[] = [];
  #kept = 0;

  add(chunk: Uint8Array): void {
    const room = KEPT_BYTES - this.#kept;
    if (room <= 0) return;
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.#chunks.push(part);
    this.#kept += part.length;
  }

  clear(): void {
    this.#chunks = [];
    this.#kept = 0;
  }

  /**
   * Without a byte order mark.
   *
   * @param contentType names another encoding than UTF-8, if there is one
   * @param contentEncoding `gzip`, `deflate` or `br`; some services compress although nobody asked them to
   */
  text(contentType: string | null = null, contentEncoding: string | null = null): string {
    if (this.#kept === 0) return '';
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : joined(this.#chunks, this.#kept);
    return decoderOf(contentType).decode(contentEncoding === null ? bytes : inflated(bytes, contentEncoding));
  }
}

/** Bytes that are not what the header says stay as they are. A body that was cut off is inflated as far as it goes. */
function inflated(bytes: Uint8Array, encoding: string): Uint8Array {
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: REPLY_LIMIT_BYTES };
  try {
    switch (encoding.trim().toLowerCase()) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, options);
      case 'deflate':
        return inflateSync(bytes, options);
      case 'br':
        return brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: REPLY_LIMIT_BYTES });
      default:
        return bytes;
    }
  } catch {
    return bytes;
  }
}

const UTF_8 = new TextDecoder();
type Decoder = typeof UTF_8;
const decoders = new Map<string, Decoder>();

function decoderOf(contentType: string | null): Decoder {
  const label = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  if (label === undefined || label === 'utf-8') return UTF_8;
  const known = decoders.get(label);
  if (known) return known;
  let decoder = UTF_8;
  try {
    decoder = new TextDecoder(label);
  } catch {
    // An unknown encoding is read as UTF-8.
  }
  // A service that invents encodings must not fill the memory.
  if (decoders.size < 50) decoders.set(label, decoder);
  return decoder;
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
