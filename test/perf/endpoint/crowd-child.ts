/**
 * A crowd of connections that cost their server as much as they can without asking for much: idle ones, which were answered once, and slow
 * ones, which never get to the end of a request. Those that the server closes are opened again. Argument: the port. Started with `fork`.
 */
import { connect, type Socket } from 'node:net';
import { IDLE, SLOW } from './crowd.ts';

const DRIP_EVERY_MS = 1_000;
/** At a time, or the queue of the server that listens overflows. */
const OPENING = 100;

const port = Number(process.argv[2]);
const slow = new Set<Socket>();
let answered = 0;
let told = false;

function open(first: string, answer: (socket: Socket) => void): void {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.once('connect', () => socket.write(first));
  socket.resume();
  answer(socket);
  socket.once('close', () => {
    slow.delete(socket);
    setTimeout(() => open(first, answer), DRIP_EVERY_MS);
  });
}

function tellWhenFull(): void {
  if (told || answered < IDLE || slow.size < SLOW) return;
  told = true;
  process.send!('full');
}

const idle = (socket: Socket): void =>
  void socket.once('data', () => {
    answered += 1;
    tellWhenFull();
  });
const drip = (socket: Socket): void =>
  void socket.once('connect', () => {
    slow.add(socket);
    tellWhenFull();
  });

const HEAD = 'POST /coupons/c/requests HTTP/1.1\r\nHost: a\r\n';
const openings = [
  ...Array.from({ length: IDLE }, () => () => open('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n', idle)),
  ...Array.from({ length: SLOW / 2 }, () => () => open(HEAD, drip)),
  ...Array.from({ length: SLOW / 2 }, () => () => open(`${HEAD}Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n`, drip)),
];
const opening = setInterval(() => {
  for (const one of openings.splice(0, OPENING)) one();
  if (openings.length === 0) clearInterval(opening);
}, 20);
// Each is a segment that the server has to read.
setInterval(() => {
  for (const socket of slow) socket.write('x');
}, DRIP_EVERY_MS);
process.on('disconnect', () => process.exit());
