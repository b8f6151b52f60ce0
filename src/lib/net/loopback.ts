import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { connect, type LookupFunction } from 'node:net';

/** RFC 6761 §6.3: "localhost" is both of these, also where the hosts file names one of them only. */
const LOOPBACKS: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
const CONNECT_MS = 1_000;

/** For requests: Node tries the addresses one after another until one of them takes the connection. */
export const lookup: LookupFunction = (hostname, options, callback) => {
  if (hostname !== 'localhost' || !options.all) return systemLookup(hostname, options, callback);
  callback(null, [...LOOPBACKS]);
};

/** The loopback address at which a server takes connections to "localhost" on this port; null: neither does. */
export async function loopbackOf(port: number): Promise<string | null> {
  for (const { address } of LOOPBACKS) if (await takesConnections(address, port)) return address;
  return null;
}

function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_MS, () => done(false));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
