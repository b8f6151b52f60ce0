import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A link to a real server that can be cut, or held up, as networks do. */
export interface TcpProxy extends AsyncDisposable {
  /** The address with this proxy's host and port. */
  through(url: string): string;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Takes connections again, on the same port. */
  restore(): Promise<void>;
  /** Keeps back what the server answers from now on. */
  holdReplies(): void;
  /** Lets it through, late. */
  releaseReplies(): void;
  /** Closes the connections without ever delivering what was kept back. */
  dropReplies(): void;
  /**
   * Half-open, as when a router forgets a connection: from now on nothing passes on the connections that stand, in either
   * direction, not even that they were closed. They never come back to life; new ones work.
   */
  freeze(): void;
  /** How late everything arrives, in either direction, in milliseconds; 0: at once. */
  slow(ms: number): void;
}

interface Pair {
  client: Socket;
  upstream: Socket;
}

export async function openProxy(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  const pairs = new Set<Pair>();
  const frozen = new WeakSet<Pair>();
  let held = false;
  let lateMs = 0;
  let server = createServer();
  const listen = (on: number): Promise<void> => {
    server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      const pair = { client, upstream };
      pairs.add(pair);
      forward(client, upstream, () => lateMs);
      forward(upstream, client, () => lateMs);
      if (held) upstream.pause();
      const end = (): void => {
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    });
    return new Promise((resolve) => server.listen(on, '127.0.0.1', resolve));
  };
  await listen(0);
  const { port: own } = server.address() as AddressInfo;

  const drop = (): void => {
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  const cut = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    drop();
    await closed;
  };
  return {
    through(address) {
      const proxied = new URL(address);
      proxied.hostname = '127.0.0.1';
      proxied.port = String(own);
      return proxied.href;
    },
    cut,
    restore: () => listen(own),
    holdReplies() {
      held = true;
      for (const { upstream } of pairs) upstream.pause();
    },
    releaseReplies() {
      held = false;
      for (const pair of pairs) if (!frozen.has(pair)) pair.upstream.resume();
    },
    dropReplies() {
      held = false;
      drop();
    },
    freeze() {
      for (const pair of pairs) {
        frozen.add(pair);
        pair.client.pause();
        pair.upstream.pause();
      }
    },
    slow(ms) {
      lateMs = ms;
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await cut();
    },
  };
}

/** In order, however the delay changes meanwhile. */
function forward(from: Socket, to: Socket, lateMs: () => number): void {
  const late: { due: number; chunk: Buffer }[] = [];
  const deliver = (): void => {
    while (to.writable && late.length > 0 && late[0]!.due <= performance.now()) to.write(late.shift()!.chunk);
    if (to.writable && late.length > 0) setTimeout(deliver, Math.ceil(late[0]!.due - performance.now()));
  };
  from.on('data', (chunk: Buffer) => {
    const due = performance.now() + lateMs();
    if (late.length === 0 && lateMs() === 0) to.write(chunk);
    else if (late.push({ due: Math.max(due, late.at(-1)?.due ?? 0), chunk }) === 1) deliver();
  });
}
