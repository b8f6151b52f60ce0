import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connections, PER_CONNECTION } from '../../src/http/connections.ts';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import { openEndpoint } from '../support/endpoint.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ durable: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: 'c', total: 20_000 });
});

const MANY = 10_000;

const post = (userId: string, extra = ''): string => {
  const body = JSON.stringify({ userId });
  return `POST /coupons/c/requests HTTP/1.1\r\nHost: a\r\n${extra}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

const open = (url: string): Socket => connect(Number(new URL(url).port), '127.0.0.1');

/** Statuses and bodies of whole replies, in order. */
function replies(said: string): { status: number; body: string }[] {
  return said
    .split('HTTP/1.1 ')
    .slice(1)
    .map((one) => ({ status: Number(one.slice(0, 3)), body: one.slice(one.indexOf('\r\n\r\n') + 4) }));
}

test(`one connection that sends ${MANY} requests ahead has ${PER_CONNECTION} of them under way, and hears of all in order`, async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const admission: Admission = {
    admit: async (couponId, requests) => {
      await held;
      return stores.admission.admit(couponId, requests);
    },
  };
  await using endpoint = await openEndpoint(stores, { admission });
  const pending = async (): Promise<number> => Number(/^coupon_requests_pending (\d+)$/m.exec((await endpoint.get('/metrics')).text)![1]);

  const greedy = open(endpoint.url);
  let said = '';
  greedy.setEncoding('latin1').on('data', (chunk: string) => (said += chunk));
  greedy.write(Array.from({ length: MANY }, (_, i) => post(`user-${i}`)).join(''));
  await until(async () => (await pending()) === PER_CONNECTION);
  // Others are read and answered meanwhile, and nothing more of this one is begun.
  for (let time = 0; time < 20; time += 1) expect((await endpoint.get('/coupons/c')).status).toBe(200);
  expect(await pending()).toBe(PER_CONNECTION);

  release();
  await until(() => said.split('HTTP/1.1 202').length - 1 === MANY, 60_000);
  const users = replies(said).map(({ body }) => (JSON.parse(body) as { userId: string }).userId);
  expect(users).toEqual(Array.from({ length: MANY }, (_, i) => `user-${i}`));
  greedy.destroy();
});

describe('what is wrong is said after the answers to what came before it', () => {
  test.each([
    ['no HTTP', 'how do you do?\r\n\r\n', [202, 400]],
    ['headers without end', `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, [202, 431]],
    [
      'a body that breaks off',
      `${
        post('lee', 'Transfer-Encoding: chunked\r\n')
          .replace(/Content-Length.*\r\n/, '')
          .split('{')[0]
      }zz\r\n`,
      [202, 400],
    ],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', [202, 405]],
    ['an expectation', post('lee', 'Expect: tea\r\n'), [202, 417]],
  ])('%s', async (_name, wrong, statuses) => {
    await using endpoint = await openEndpoint(stores);
    const socket = open(endpoint.url);
    socket.write(post('kim') + wrong);
    const heard = replies(await text(socket));
    expect(heard.map(({ status }) => status)).toEqual(statuses);
    expect(JSON.parse(heard[0]!.body)).toMatchObject({ userId: 'kim' });
    expect(JSON.parse(heard[1]!.body)).toMatchObject({ status: statuses[1] });
  });
});

test('a connection that passes the bound of all together is closed, the others go on, and the count goes down again', async () => {
  const waiting: ServerResponse[] = [];
  const connections = new Connections(50);
  const server = createServer(connections.fairly((_request, response) => waiting.push(response)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  for (let round = 0; round < 3; round += 1) {
    const [patient, greedy] = [open(url), open(url)];
    patient.resume().write(get.repeat(20));
    await until(() => waiting.length === 20);
    const closed = new Promise((resolve) => greedy.once('close', resolve));
    greedy.on('error', () => undefined);
    greedy.resume().write(get.repeat(60));
    await closed;
    let heard = '';
    patient.on('data', (chunk) => (heard += chunk.toString()));
    for (const response of waiting.splice(0)) response.end();
    await until(() => heard.split('HTTP/1.1 200').length - 1 === 20);
    patient.destroy();
  }
  // The first of each connection counts for nothing.
  const many = Array.from({ length: 60 }, () => open(url));
  for (const socket of many) socket.resume().write(get);
  await until(() => waiting.length === 60);
  expect(many.filter(({ destroyed }) => destroyed)).toEqual([]);
  for (const socket of many) socket.destroy();
  server.close();
});
