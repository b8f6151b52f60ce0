import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { Database } from '../../../src/stores/postgres/connection/database.ts';

/** A message of the protocol (manual, 55.7): type, length, content. */
function message(type: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length + 4);
  return Buffer.concat([Buffer.from(type), length, content]);
}

const field = (type: string, value: string): string => `${type}${value}\0`;
const READY = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
const TERMINATED = message(
  'E',
  Buffer.from(
    `${field('S', 'FATAL')}${field('V', 'FATAL')}${field('C', '57P01')}${field('M', 'terminating connection due to administrator command')}\0`,
  ),
);

test('a session that ends with the packet in which it became ready is an outage, and ends nothing else', async () => {
  // What `pg_terminate_backend` comes to when it meets a session that has just begun: TCP delivers both in one piece.
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([...READY, TERMINATED])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = new Database(`postgres://kim:secret@127.0.0.1:${port}/coupon?sslmode=disable`);
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', note);
  try {
    const failed = await database.transaction(async (client) => client.query('SELECT 1')).catch((error: unknown) => error);
    expect(database.explain(failed)).toMatchObject({ kind: 'unreachable' });
    await expect(database.query('SELECT 1')).rejects.toMatchObject({ kind: 'unreachable' });
    expect(uncaught).toEqual([]);
  } finally {
    process.off('uncaughtException', note);
    await database.close();
    server.close();
  }
});
