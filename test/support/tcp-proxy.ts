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
}

export async function openProxy(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  let held = false;
  let server = createServer();
  const listen = (on: number): Promise<void> => {
    server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      const pair = { client, upstream };
      pairs.add(pair);
      client.pipe(upstream);
      upstream.on('data', (chunk) => client.write(chunk));
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
      for (const { upstream } of pairs) upstream.resume();
    },
    dropReplies() {
      held = false;
      drop();
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await cut();
    },
  };
}
