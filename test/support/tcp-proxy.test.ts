import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openProxy, type TcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';

describe('a link that can be broken', () => {
  const server = createServer((socket) => socket.pipe(socket).on('error', () => undefined));
  let link: TcpProxy;
  let url: URL;
  beforeEach(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    link = await openProxy(address);
    url = new URL(link.through(address));
  });
  afterEach(async () => {
    await link[Symbol.asyncDispose]();
    server.close();
  });

  const open = (): { socket: Socket; heard(): string; closed(): boolean } => {
    const socket = connect(Number(url.port), '127.0.0.1');
    let text = '';
    let closed = false;
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.on('error', () => undefined).on('close', () => (closed = true));
    return { socket, heard: () => text, closed: () => closed };
  };

  it('passes everything on, in order, late or not', async () => {
    const { socket, heard } = open();
    link.slow(100);
    socket.write('first ');
    await until(() => socket.bytesWritten > 0);
    link.slow(20);
    socket.write('second ');
    link.slow(0);
    socket.write('third');
    await until(() => heard().length >= 'first second third'.length);
    expect(heard()).toBe('first second third');
    socket.destroy();
  });

  it('once half-open passes nothing on any more, and is not closed; a new one works', async () => {
    const old = open();
    old.socket.write('before');
    await until(() => old.heard() === 'before');
    link.freeze();
    old.socket.write(' after');
    const other = open();
    other.socket.write('new');
    await until(() => other.heard() === 'new');
    link.releaseReplies();
    other.socket.write(' still');
    await until(() => other.heard() === 'new still');
    expect(old.heard()).toBe('before');
    expect(old.closed()).toBe(false);
  });

  it('with held replies delivers them when they are released, and never when they are dropped', async () => {
    const { socket, heard, closed } = open();
    socket.write('1');
    await until(() => heard() === '1');
    link.holdReplies();
    socket.write('2');
    const other = open();
    other.socket.write('x');
    await until(() => other.socket.bytesWritten > 0);
    link.releaseReplies();
    await until(() => heard() === '12' && other.heard() === 'x');
    link.holdReplies();
    socket.write('3');
    link.dropReplies();
    await until(closed);
    expect(heard()).toBe('12');
  });
});
