import { connect } from 'node:net';

const PATIENCE_MS = 2_000;
/** Of a reply; INFO server has about a thousand characters. */
const LONGEST = 65_536;

export interface RedisAnswer {
  pid: number;
  version: string;
}

/**
 * Asks a Redis on loopback who it is. Null when nothing answers, when it is not ready yet, or when it does not take our password.
 *
 * Five lines of its protocol by hand: a client library would retry, reconnect, and put the password into its errors.
 */
export async function askRedis(port: number, password: string): Promise<RedisAnswer | null> {
  const reply = await converse(port, `AUTH ${password}\r\nPING\r\nINFO server\r\nQUIT\r\n`);
  if (!reply.startsWith('+OK\r\n+PONG\r\n')) return null;
  const pid = /^process_id:(\d+)/m.exec(reply)?.[1];
  // Valkey reports its own version beside the Redis version that it is compatible with.
  const version = /^valkey_version:(\S+)/m.exec(reply)?.[1] ?? /^redis_version:(\S+)/m.exec(reply)?.[1];
  return pid === undefined || version === undefined ? null : { pid: Number(pid), version };
}

/** Everything that comes back until the other side hangs up; what came so far when it does not. */
async function converse(port: number, words: string): Promise<string> {
  return await new Promise((resolve) => {
    let heard = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(words));
    socket.setEncoding('utf8');
    // For the whole of it: a server that sends a byte now and then is never silent.
    const limit = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.on('data', (text: string) => {
      heard += text;
      if (heard.length > LONGEST) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(limit);
      resolve(heard);
    });
  });
}
