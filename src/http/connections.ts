/**
 * Fairness between connections. A client may send requests ahead of their answers (pipelining), and Node begins with each as it is
 * read: one connection could take all that a process takes on, and more memory than all others together.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Open at a time, a few kB each, in one process. */
export const MAX_CONNECTIONS = 10_000;
/** Requests of one connection that are worked on at a time. Gateways send one after the other, load tools a few dozen ahead. */
export const PER_CONNECTION = 100;
/** For the last word of a connection to be heard, when its client does not hang up. Closed at once, it could be lost. */
const LINGER_MS = 2_000;
/** Requests that all connections together may have sent ahead of their answers, about 4 kB each. The one that passes it is closed. */
const MAX_AHEAD = 10_000;

/** One connection, and what it has asked for. */
interface Connection {
  socket: Socket;
  underWay: number;
  /** Read already, in order of arrival: what one read of the socket holds (64 KiB), because no more is read then. */
  waiting: (() => void)[];
  /** The request that was read last; its body may be on the way. */
  latest: IncomingMessage;
  /** What is left to do when every request has its answer. */
  last: (() => void) | null;
}

export class Connections {
  readonly #open = new WeakMap<Socket, Connection>();
  readonly #maxAhead: number;
  #ahead = 0;

  constructor(maxAhead = MAX_AHEAD) {
    this.#maxAhead = maxAhead;
  }

  /** The same listener, which hears of a request when it is the turn of its connection. */
  fairly(listener: RequestListener): RequestListener {
    return (request, response) => {
      const connection = this.#connectionOf(request);
      const handle = (): void => listener(request, response);
      if (connection.underWay === 0) return this.#begin(connection, response, handle);
      this.#ahead += 1;
      if (connection.underWay < PER_CONNECTION) this.#begin(connection, response, handle);
      else if (connection.waiting.push(() => this.#begin(connection, response, handle)) === 1) stopReading(connection.socket);
      if (this.#ahead > this.#maxAhead) connection.socket.destroy();
      return undefined;
    };
  }

  /**
   * Says the last word of a connection when the requests that arrived as a whole have their answers: it must not be taken for one of
   * them. Nothing is read from then on: whoever is refused here may not be admitted by what comes late.
   */
  afterAnswers(socket: Socket, lastWord: string): void {
    const last = (): void => {
      stopReading(socket);
      socket.end(lastWord);
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    };
    const connection = this.#open.get(socket);
    if (!connection) return last();
    connection.last = last;
    return finishIfDone(connection);
  }

  #connectionOf(request: IncomingMessage): Connection {
    const { socket } = request;
    let connection = this.#open.get(socket);
    if (!connection) {
      connection = { socket, underWay: 0, waiting: [], latest: request, last: null };
      this.#open.set(socket, connection);
      // What was under way then gets no end of its own.
      socket.once('close', () => this.#forget(connection!));
    }
    connection.latest = request;
    return connection;
  }

  #forget(connection: Connection): void {
    this.#ahead -= Math.max(0, unanswered(connection) - 1);
    connection.waiting = [];
    this.#open.delete(connection.socket);
  }

  #begin(connection: Connection, response: ServerResponse, handle: () => void): void {
    connection.underWay += 1;
    response.once('close', () => {
      if (connection.socket.destroyed) return;
      if (unanswered(connection) > 1) this.#ahead -= 1;
      connection.underWay -= 1;
      connection.waiting.shift()?.();
      if (connection.waiting.length === 0) readAgain(connection.socket);
      finishIfDone(connection);
    });
    handle();
  }
}

function unanswered({ underWay, waiting }: Connection): number {
  return underWay + waiting.length;
}

function finishIfDone(connection: Connection): void {
  const { latest, last } = connection;
  // One that was broken off will not come to an end.
  if (last === null || unanswered(connection) > (latest.complete ? 0 : 1)) return;
  connection.last = null;
  last();
}

/** Whoever reads a body, and Node itself after an answer, would resume the socket. */
function stopReading(socket: Socket): void {
  socket.resume = () => socket;
  socket.pause();
}

function readAgain(socket: Socket): void {
  if (!Object.hasOwn(socket, 'resume')) return;
  Reflect.deleteProperty(socket, 'resume');
  socket.resume();
}
