/**
 * A server on raw sockets in a process of its own, so that what it costs is not counted to the generator: every request gets the
 * same small reply, in a way that the parent chooses. Started with `fork`.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface ResponderOptions {
  /** `slow`: 95 of 100 replies take 20 ms, the others 80. `stall`: nothing at all is answered between second 1 and 1.5. */
  manner: 'at once' | 'slow' | 'stall';
}

const REPLY = 'HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}';
const options = JSON.parse(process.argv[2]!) as ResponderOptions;
let requests = 0;
let firstMs: number | null = null;

function answer(socket: Socket): void {
  requests += 1;
  if (options.manner === 'slow') {
    setTimeout(() => socket.write(REPLY), requests % 20 === 0 ? 80 : 20);
    return;
  }
  const now = performance.now();
  firstMs ??= now;
  const intoStall = now - firstMs - 1_000;
  if (options.manner === 'stall' && intoStall >= 0 && intoStall < 500) setTimeout(() => socket.write(REPLY), 500 - intoStall);
  else socket.write(REPLY);
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  // Without pipelining a request comes in one piece, and ends with its JSON body.
  socket.on('data', (chunk) => {
    if (chunk[chunk.length - 1] === 0x7d) answer(socket);
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
