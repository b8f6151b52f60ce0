/**
 * Makes an autocannon 9.0.0 client accountable: every request it takes ends as exactly one outcome.
 *
 * On its own the client forgets a request when the connection ends under it, never says which one that was, sends the next
 * one into the closing socket, and reconnects in a hot loop: 340 of a run's requests vanished with `errors: 0`. No public
 * option changes that, so this replaces private methods and the parser of each client, before it first connects:
 *
 * - `_connect`     held back until the client is wanted (users of a ramp come one by one); from then on every loss of a
 *                  connection comes through here: the request under way is settled, then a fresh parser
 *                  (the old one may be in the middle of a reply), a pause if the target is in trouble, a new socket
 * - `_doRequest`   the gate: nothing is taken from the plan before a connection stands, so a dead port costs no request;
 *                  after `Connection: close` a new connection comes first
 * - `requestIterator.nextRequest`/`recordBody`   our bytes out, status and body in (`setupRequest` costs three times as much)
 * - `kOnBody` of the parser   autocannon decodes chunk by chunk and keeps all of a body, see `lib/net/reply-body.ts`
 * - the certificate of a TLS connection is checked before anything is sent; autocannon takes any
 * - `timeoutTicker`   autocannon's cannot be stopped and started again, and fires on idle clients
 *
 * The version is pinned exactly, and `test/bench/load/autocannon-contract.test.ts` holds it to all of this.
 * Requests are never sent twice: whether a lost one may be repeated is for the scenario to say, not for the transport.
 */
import { Socket } from 'node:net';
import { ReplyBody, REPLY_LIMIT_BYTES } from '../../lib/net/reply-body.ts';
import { headerOf } from '../report/unexplained.ts';
import { authorizationFault, reconnectPauseMs, type AutocannonClient, type ClientHost, type Parser } from './autocannon-client.ts';
import { replyParser } from './reply-parser.ts';

/** One virtual user on one keep-alive connection with at most one request under way. */
export class HardenedClient {
  /** From 0, in the order of connecting. */
  readonly index: number;
  readonly #client: AutocannonClient;
  readonly #host: ClientHost;
  readonly #connect: () => void;
  readonly #doRequest: () => void;
  #original: Parser | null = null;
  /** Row of the request under way. */
  #row: number | null = null;
  /** A request that is sent again, or goes on elsewhere: on the connection that is open by then. */
  #next: { row: number; bytes: Buffer; due: boolean } | null = null;
  #wait: NodeJS.Timeout | undefined;
  #open = false;
  /** Not wanted yet: it connects when it is first woken. */
  #parked = true;
  #keepAlive = true;
  /** Connections in a row that brought no reply. */
  #failedConnects = 0;
  #fault = 'closed';
  readonly #body = new ReplyBody();
  /** Bytes of the reply under way, headers and all. */
  #received = 0;
  #deadline: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;

  /** To be called from `setupClient`, which runs before the client first connects; it does so when it is first woken. */
  constructor(client: AutocannonClient, host: ClientHost, index: number) {
    this.index = index;
    this.#client = client;
    this.#host = host;
    this.#connect = client._connect.bind(client);
    this.#doRequest = client._doRequest.bind(client);
    client._connect = () => this.#reconnect();
    client._doRequest = () => this.#takeNext();
    client.requestIterator.nextRequest = () => client.requestIterator.currentRequest;
    client.requestIterator.recordBody = (_request, status, _body, headers) => this.#replied(status, headers);
  }

  get busy(): boolean {
    return this.#row !== null || this.#next !== null;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Connects if it never has, and otherwise asks for a request unless one is under way. */
  wake(): void {
    if (this.#client.destroyed) return;
    if (!this.#parked) {
      this.#takeNext();
      return;
    }
    this.#parked = false;
    this.#openSocket();
  }

  /** Gives up: a request under way is unknown from here on. */
  end(fault: string): void {
    this.#fault = fault;
    this.#settle();
    clearTimeout(this.#wait);
    if (this.#next !== null) this.#host.givenUp(this.#next.row);
    this.#next = null;
    this.#close();
    // autocannon takes it for granted that there was one.
    this.#client.conn ??= new Socket();
    this.#client.destroy();
  }

  #reconnect(): void {
    this.#settle();
    this.#close();
    if (this.#client.destroyed) return;
    if (!this.#parked && this.#next === null && !this.#host.wanted()) {
      this.end('closed');
      return;
    }
    this.#freshParser();
    // The call from autocannon's constructor; `wake` opens the connection.
    if (this.#parked) return;
    this.#failedConnects += 1;
    this.#keepAlive = true;
    this.#fault = 'closed';
    const pauseMs = reconnectPauseMs(this.#failedConnects);
    if (pauseMs === 0) this.#openSocket();
    else this.#pause = setTimeout(() => this.#openSocket(), pauseMs);
  }

  /** The request under way will get no reply any more. */
  #settle(): void {
    if (this.#row !== null) this.#host.lost(this.#row, this.#fault);
    this.#row = null;
  }

  #close(): void {
    this.#open = false;
    clearTimeout(this.#deadline);
    clearTimeout(this.#pause);
    this.#deadline = undefined;
    if (!this.#client.conn) return;
    // autocannon leaves its 'data' listener on: a late reply would reach the parser of the next connection.
    this.#client.conn.removeAllListeners('data');
    this.#client._destroyConnection();
  }

  #openSocket(): void {
    this.#startDeadline();
    this.#connect();
    const { conn } = this.#client;
    if (!conn) return;
    conn.setNoDelay(true);
    conn.once(this.#client.secure ? 'secureConnect' : 'connect', () => {
      if (this.#client.secure && !conn.authorized && !this.#host.insecure) {
        this.#giveUp(authorizationFault(conn.authorizationError));
        return;
      }
      this.#open = true;
      this.#host.connected(true, '');
      this.#client._doRequest();
    });
    // Before autocannon's own listeners, which reconnect at once and say nothing about why.
    conn.prependListener('error', (error: NodeJS.ErrnoException) => {
      this.#fault = error.code ?? 'error';
      if (!this.#open) this.#host.connected(false, this.#fault);
    });
    conn.prependListener('end', () => {
      this.#open = false;
      // A body without a length is complete now; anything else is cut off.
      if (this.#row !== null) this.#client.parser.finish();
    });
    conn.on('data', (chunk: Buffer) => {
      if (this.#client.conn !== conn) return;
      this.#received += chunk.length;
      if (this.#client.parser.hadError) this.#giveUp('garbled');
      else if (this.#row !== null && this.#received > REPLY_LIMIT_BYTES) this.#cutOff();
    });
  }

  /** A reply without an end: what it says so far is its status at most. */
  #cutOff(): void {
    const { statusCode, headers = [] } = this.#client.parser.info;
    const row = this.#row;
    if (row !== null && statusCode !== undefined) {
      this.#row = null;
      this.#host.tooLong(row, statusCode, headers);
    }
    this.#giveUp('reply too long');
  }

  #giveUp(fault: string): void {
    this.#fault = fault;
    if (!this.#open) this.#host.connected(false, fault);
    this.#client._connect();
  }

  #takeNext(): void {
    if (this.#client.destroyed) return;
    if (this.#row === null && this.#open && !this.#keepAlive) {
      this.#client._connect();
      return;
    }
    if (!this.#open || this.#row !== null || this.#next?.due === false) return;
    const next = this.#next ?? this.#host.take(this);
    if (next === 'wait') return;
    if (!next) return this.end('closed');
    this.#next = null;
    this.#row = next.row;
    this.#received = 0;
    this.#body.clear();
    this.#client.requestIterator.currentRequest = { requestBuffer: next.bytes };
    this.#doRequest();
    this.#startDeadline();
  }

  #replied(status: number, headers: readonly string[]): void {
    const row = this.#row;
    this.#row = null;
    this.#failedConnects = -1;
    const body = this.#body.text(headerOf(headers, 'content-type'), headerOf(headers, 'content-encoding'));
    this.#body.clear();
    if (row === null) return;
    const followUp = this.#host.replied(row, status, body, headers);
    if (followUp === null) return;
    const { bytes, afterMs } = followUp;
    const next = { row, bytes, due: afterMs === 0 };
    this.#next = next;
    if (next.due) return;
    this.#wait = setTimeout(() => {
      next.due = true;
      this.#takeNext();
    }, afterMs);
  }

  /** One timer per client for connecting and for every request; `refresh` re-arms it without allocating. */
  #startDeadline(): void {
    // On a connection that waits for its next turn nothing is late.
    this.#deadline ??= setTimeout(() => (this.#open && this.#row === null) || this.#giveUp('timeout'), this.#host.timeoutMs);
    this.#deadline.refresh();
  }

  #freshParser(): void {
    const client = this.#client;
    if (!this.#original) {
      this.#original = client.parser;
      client.timeoutTicker.clear();
      client.timeoutTicker = { reschedule: () => undefined, clear: () => undefined };
    }
    this.#body.clear();
    const parser = replyParser(this.#original, {
      isFor: (own) => client.parser === own && this.#row !== null,
      body: (bytes) => this.#body.add(bytes),
      unasked: (own) => {
        if (client.parser === own) this.#keepAlive = false;
      },
      whole: (keepAlive) => (this.#keepAlive = keepAlive),
    });
    client.parser = parser;
  }
}
