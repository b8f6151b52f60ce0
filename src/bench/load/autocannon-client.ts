/** What `hardened-client.ts` stands between: autocannon's own client, and the run that it belongs to. */
import type { Socket } from 'node:net';
import type { VirtualUser } from './executor.ts';
import type { FollowUp } from './follow-up.ts';

/** What one virtual user needs from the run that it belongs to. */
export interface ClientHost {
  /** Whether there may be something to take. */
  wanted(): boolean;
  /** The next request of the plan, and its bytes. `wait`: the client will be woken; null: there is none, the client ends. */
  take(client: VirtualUser): { row: number; bytes: Buffer } | 'wait' | null;
  /**
   * @param headers names and values in turn
   * @returns what the same request sends next; null: it is done
   */
  replied(row: number, status: number, body: string, headers: readonly string[]): FollowUp | null;
  /** Between two of its sendings, a request will not be sent again: its last reply counts. */
  givenUp(row: number): void;
  /** A reply that was cut off because it went on for too long. */
  tooLong(row: number, status: number, headers: readonly string[]): void;
  /** Sent, and no usable reply came. `fault` is a system error code, `timeout`, `closed`, `garbled` or `abandoned`. */
  lost(row: number, fault: string): void;
  /** A connection could be made, or not. */
  connected(ok: boolean, fault: string): void;
  readonly timeoutMs: number;
  /** Send also to a server whose certificate cannot be trusted. */
  readonly insecure: boolean;
}

/** The part of autocannon's client that this file leans on; none of it is documented. */
export interface AutocannonClient {
  conn: (Socket & { authorized?: boolean; authorizationError?: NodeJS.ErrnoException | string | null }) | undefined;
  parser: Parser;
  destroyed: boolean;
  secure: boolean;
  timeoutTicker: { reschedule(ms: number): void; clear(): void };
  requestIterator: {
    currentRequest: { requestBuffer: Buffer };
    nextRequest(): unknown;
    recordBody(request: unknown, status: number, body: string, headers: readonly string[]): void;
  };
  _connect(): void;
  _doRequest(): void;
  _destroyConnection(): void;
  destroy(): void;
}

type ParserHandler = (...args: unknown[]) => unknown;

export interface Parser {
  [handler: number]: ParserHandler;
  hadError: boolean;
  /** Read so far, and end, of the chunk at hand. */
  offset: number;
  end: number;
  info: { statusCode?: number; shouldKeepAlive?: boolean; headers?: readonly string[] };
  finish(): void;
  constructor: ParserClass;
}

type ParserClass = (new (type: 'RESPONSE') => Parser) & {
  kOnHeaders: number;
  kOnHeadersComplete: number;
  kOnBody: number;
  kOnMessageComplete: number;
};

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Milliseconds before the next connection, at random between half and all of it.
 *
 * @param failed connections in a row that brought no reply; the first loss after one that served is the server's right (keep-alive limits)
 */
export function reconnectPauseMs(failed: number): number {
  return failed < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failed - 2)) * (0.5 + Math.random() / 2);
}

/** Node names the error itself for some faults, and its code alone for others. */
export function authorizationFault(error: NodeJS.ErrnoException | string | null | undefined): string {
  if (typeof error === 'string') return error;
  return error?.code ?? 'CERT_UNTRUSTED';
}
