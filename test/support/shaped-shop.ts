/**
 * Coupon services in the shapes that real ones have. The sale behind them is the same; what differs is how one has to ask and what the
 * answers look like. `oversells` sells three coupons too many, `loses` forgets every tenth accepted user.
 */
import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { tlsServer } from './tls-server.ts';

export const SHAPES = [
  'token',
  'cookie',
  'rotating-cookie',
  'numeric',
  'always-200',
  'polling',
  'limited',
  'busy',
  'redirecting',
  'header-answer',
  'compressed',
  'basic-auth',
  'tls',
  'ipv6',
  'http-1.0',
] as const;
export type Shape = (typeof SHAPES)[number];
export type ShopFault = 'sound' | 'oversells' | 'loses';

export interface Shop extends AsyncDisposable {
  url: string;
  /** The export of issued coupons, as it stands. */
  csv: string;
  /** Requests of each path. */
  heard: Record<string, number>;
}

type Answer = 'accepted' | 'duplicate' | 'sold_out';

const STATUS: Record<Answer, number> = { accepted: 201, duplicate: 409, sold_out: 410 };

interface Sale {
  ask: (userId: string) => Answer;
  reset: () => void;
}

function saleOf(total: number, fault: ShopFault, csv: string): Sale {
  const admitted = new Set<string>();
  const limit = fault === 'oversells' ? total + 3 : total;
  const reset = (): void => {
    admitted.clear();
    writeFileSync(csv, 'user_id\n');
  };
  reset();
  const ask = (userId: string): Answer => {
    if (admitted.has(userId)) return 'duplicate';
    if (admitted.size >= limit) return 'sold_out';
    admitted.add(userId);
    if (!(fault === 'loses' && admitted.size % 10 === 0)) appendFileSync(csv, `${userId}\n`);
    return 'accepted';
  };
  return { ask, reset };
}

export async function shapedShop(shape: Shape, total: number, fault: ShopFault = 'sound'): Promise<Shop> {
  const csv = join(mkdtempSync(join(tmpdir(), 'coupon-shop-')), 'issued.csv');
  const { ask, reset } = saleOf(total, fault, csv);
  const heard: Record<string, number> = {};
  const orders = new Map<string, Answer>();
  const sessions = new Map<string, string>();
  let nth = 0;

  const json = (reply: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
    reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
  const shapes: Record<Shape, (request: IncomingMessage, reply: ServerResponse, body: string, path: string) => void> = {
    token(request, reply, body, path) {
      if (path === '/login') return json(reply, 200, { data: { accessToken: `token-of-${(JSON.parse(body) as { id: string }).id}` } });
      if (path === '/reset') {
        reset();
        return json(reply, 200, {});
      }
      const token = /^Bearer token-of-(.*)$/.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined) return json(reply, 401, {}, { 'www-authenticate': 'Bearer' });
      json(reply, STATUS[ask(token)], {});
    },
    cookie(request, reply, body, path) {
      if (path === '/session')
        return void reply
          .writeHead(302, { location: '/', 'set-cookie': [`sid=${new URLSearchParams(body).get('user')}; Path=/; HttpOnly`, 'theme=dark'] })
          .end();
      const sid = /(?:^|; )sid=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
      if (sid === undefined) return json(reply, 403, {});
      json(reply, STATUS[ask(sid)], {});
    },
    // A session that every reply renews, and that counts no longer once it was used.
    'rotating-cookie'(request, reply, body, path) {
      const renewed = (userId: string): Record<string, string> => {
        nth += 1;
        sessions.set(`s${nth}`, userId);
        return { 'set-cookie': `sid=s${nth}; Path=/; HttpOnly` };
      };
      if (path === '/session') return json(reply, 200, {}, renewed((JSON.parse(body) as { id: string }).id));
      const sid = /(?:^|; )sid=([^;]*)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
      const userId = sessions.get(sid);
      sessions.delete(sid);
      if (userId === undefined) return json(reply, 403, {});
      if (path === '/enter') return void reply.writeHead(302, { location: '/coupons', ...renewed(userId) }).end();
      json(reply, STATUS[ask(userId)], {}, renewed(userId));
    },
    numeric(_request, reply, body, path) {
      const { userId, agree } = JSON.parse(body) as { userId: unknown; agree: unknown };
      const inPath = /^\/users\/(\d+)\/coupons\?event=7$/.exec(path)?.[1];
      if (typeof userId !== 'number' || agree !== true || inPath !== String(userId))
        return json(reply, 400, { message: 'userId must be a number' });
      json(reply, STATUS[ask(String(userId))], {});
    },
    'always-200'(_request, reply, body) {
      const answer = ask((JSON.parse(body) as { userId: string }).userId);
      json(reply, 200, answer === 'accepted' ? { success: true } : { success: false });
    },
    polling(request, reply, body, path) {
      if (request.method === 'GET') {
        const id = path.slice('/orders/'.length);
        nth += 1;
        const answer = orders.get(id);
        if (answer === undefined) return json(reply, 404, {});
        return json(reply, 200, { state: nth % 3 === 0 ? answer : 'PENDING' });
      }
      const { userId } = JSON.parse(body) as { userId: string };
      const id = `${orders.size + 1}`;
      orders.set(id, ask(userId));
      json(reply, 202, { order: { id: Number(id) }, state: 'PENDING' });
    },
    limited(_request, reply, body) {
      nth += 1;
      if (nth % 4 === 0) return json(reply, 429, {}, { 'retry-after': '0' });
      json(reply, STATUS[ask((JSON.parse(body) as { userId: string }).userId)], {});
    },
    busy(_request, reply, body) {
      nth += 1;
      if (nth % 3 === 0) return json(reply, 409, { error: 'unable to acquire lock' });
      const answer = ask((JSON.parse(body) as { userId: string }).userId);
      json(reply, STATUS[answer], answer === 'duplicate' ? { error: 'already issued' } : {});
    },
    redirecting(_request, reply, body, path) {
      if (path === '/old') reply.writeHead(307, { location: '/new?v=2' }).end();
      else json(reply, STATUS[ask((JSON.parse(body) as { userId: string }).userId)], {});
    },
    'header-answer'(_request, reply, body) {
      reply.writeHead(200, { 'X-Result': ask((JSON.parse(body) as { userId: string }).userId) }).end();
    },
    compressed(_request, reply, body) {
      nth += 1;
      const text = JSON.stringify({ result: ask((JSON.parse(body) as { userId: string }).userId), message: '쿠폰'.repeat(50) });
      const [encoding, bytes] = nth % 2 === 0 ? ['gzip', gzipSync(text)] : ['br', brotliCompressSync(text)];
      reply.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bytes);
    },
    'basic-auth'(request, reply, body) {
      if (request.headers.authorization !== `Basic ${Buffer.from('shop:p@ss:word').toString('base64')}`) return json(reply, 401, {});
      json(reply, STATUS[ask((JSON.parse(body) as { userId: string }).userId)], {});
    },
    tls: plain,
    ipv6: plain,
    'http-1.0'(_request, reply, body) {
      const status = STATUS[ask((JSON.parse(body) as { userId: string }).userId)];
      reply.socket!.end(`HTTP/1.0 ${status} So\r\nContent-Type: application/json\r\n\r\n{}`);
    },
  };
  function plain(_request: IncomingMessage, reply: ServerResponse, body: string): void {
    json(reply, STATUS[ask((JSON.parse(body) as { userId: string }).userId)], {});
  }

  const listener: RequestListener = (request, reply) => {
    const path = request.url ?? '';
    heard[path.replace(/\d+/g, 'N')] = (heard[path.replace(/\d+/g, 'N')] ?? 0) + 1;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (path === '/readyz') reply.writeHead(204).end();
      else shapes[shape](request, reply, Buffer.concat(chunks).toString(), path);
    });
  };
  if (shape === 'tls') {
    const server = await tlsServer(listener);
    return { url: server.url, csv, heard, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, shape === 'ipv6' ? '::1' : '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${shape === 'ipv6' ? 'localhost' : '127.0.0.1'}:${port}`,
    csv,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
