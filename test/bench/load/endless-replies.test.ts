import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { REPLY_LIMIT_BYTES } from '../../../src/lib/net/reply-body.ts';
import { until } from '../../support/until.ts';
import { rawServer } from './faulty-servers.ts';
import { loadPlan, runLoad, usersByOutcome } from './plans.ts';

/** What lies in the buffers of both sockets of a loopback connection, and no reader has asked for. */
const IN_SOCKETS = 16 * 1_048_576;
const EVERY = 20;
const USERS = 200;

const PIECE = 'x'.repeat(65_536);
const CHUNK = `${PIECE.length.toString(16)}\r\n${PIECE}\r\n`;

/** Goes on writing for as long as the other side reads; tells how much was taken. */
function pour(socket: Socket, head: string, piece: string, sizes: number[]): void {
  let size = head.length;
  socket.write(head);
  const more = (): void => {
    if (socket.destroyed) return;
    size += piece.length;
    socket.write(piece, () => setImmediate(more));
  };
  more();
  socket.once('close', () => sizes.push(size));
}

async function against(head: string, piece: string) {
  const sizes: number[] = [];
  const poured: string[] = [];
  await using server = await rawServer(({ socket, nth, userId, reply }) => {
    if (nth % EVERY !== 0) return reply(202);
    poured.push(userId);
    pour(socket, head, piece, sizes);
  });
  // A limit of time that would let gigabytes through, if nothing else ended such a reply.
  const plan = loadPlan(server.url, { users: USERS, timeout: '45s' });
  const result = await runLoad(plan);
  // The server hears of the end of a connection a little later.
  await until(() => sizes.length === poured.length);
  return { result, by: usersByOutcome(plan, result), poured, sizes };
}

describe('a reply without an end is cut off, and everybody else is served', () => {
  test.each([
    ['in chunks', 'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n', CHUNK],
    ['until the connection ends', 'HTTP/1.1 202 X\r\n\r\n', PIECE],
    ['of a length that nobody waits for', 'HTTP/1.1 202 X\r\nContent-Length: 99999999999\r\n\r\n', PIECE],
    ['in chunks of one byte', 'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'.repeat(10_000)],
    ['in its trailers', 'HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'x-more: and more\r\n'.repeat(4_000)],
    ['in its headers', 'HTTP/1.1 202 X\r\n', 'x-more: and more\r\n'.repeat(4_000)],
  ])('%s: unexpected, whatever its status says', async (_how, head, piece) => {
    const { result, by, poured, sizes } = await against(head, piece);
    expect(by['unexpected']?.toSorted()).toEqual(poured.toSorted());
    expect(result.outcomes).toMatchObject({ accepted: USERS - USERS / EVERY, unexpected: USERS / EVERY, unknown: 0, unsent: 0 });
    expect(result.generator.faults).toEqual({ 'reply too long': USERS / EVERY });
    expect(result.unexplained).toMatchObject([{ status: 202, count: USERS / EVERY, body: expect.stringContaining('cut off') }]);
    expect(sizes).toHaveLength(USERS / EVERY);
    for (const size of sizes) expect(size).toBeLessThan(REPLY_LIMIT_BYTES + IN_SOCKETS);
  });

  test.each([
    ['in its first line', 'HTTP/1.1 202 ', PIECE],
    ['of nothing but interim replies', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(3_000)],
  ])('%s: unknown, as nothing was answered', async (_how, head, piece) => {
    const { result, by, poured, sizes } = await against(head, piece);
    expect(by['unknown']?.toSorted()).toEqual(poured.toSorted());
    expect(result.outcomes).toMatchObject({ accepted: USERS - USERS / EVERY, unexpected: 0, unknown: USERS / EVERY, unsent: 0 });
    for (const size of sizes) expect(size).toBeLessThan(REPLY_LIMIT_BYTES + IN_SOCKETS);
  });

  test('one that is just as long as is read, is a reply', async () => {
    const head = (length: number): string => `HTTP/1.1 202 X\r\nContent-Length: ${length}\r\n\r\n`;
    const length = REPLY_LIMIT_BYTES - head(REPLY_LIMIT_BYTES).length;
    await using server = await rawServer(({ socket }) => void socket.write(head(length) + 'x'.repeat(length)));
    const result = await runLoad(loadPlan(server.url, { users: 20 }));
    expect(result.outcomes).toMatchObject({ accepted: 20, unexpected: 0, unknown: 0 });
  });
});
