import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RedisConnection } from '../../../../src/stores/redis/connection/connection.ts';
import { openRedis } from '../../../../src/stores/redis/connection/open.ts';
import { sentinels, sentinelUrl, type Sentinels } from '../../../support/sentinels.ts';
import { openProxy, type TcpProxy } from '../../../support/tcp-proxy.ts';
import { until } from '../../../support/until.ts';

let watched: Sentinels;
beforeAll(async () => {
  watched = await sentinels();
});
afterAll(() => watched[Symbol.asyncDispose]());
afterEach(() => vi.restoreAllMocks());

function own(proxy: TcpProxy): number {
  return Number(new URL(proxy.through('redis://x:1')).port);
}

/** How many clients hear from this sentinel that a primary was replaced. */
async function hearers(port: number): Promise<number> {
  const sentinel = new Redis({ host: '127.0.0.1', port });
  const list = String(await sentinel.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  sentinel.disconnect();
  return list.split('\n').filter((line) => line.includes('cmd=subscribe')).length;
}

/** Listens to this sentinel. What it returns resolves when the sentinel says that a primary was replaced: to us last, as we came last. */
async function listen(port: number): Promise<() => Promise<void>> {
  const sentinel = new Redis({ host: '127.0.0.1', port });
  const told = new Promise<void>((resolve) => sentinel.once('message', () => resolve()));
  await sentinel.subscribe('+switch-master');
  return async () => {
    await told;
    sentinel.disconnect();
  };
}

async function isThere(connection: RedisConnection): Promise<boolean> {
  try {
    connection.runOf('');
    return (await connection.client.ping()) === 'PONG';
  } catch {
    return false;
  }
}

/** Opens a connection, cuts it, and does `meanwhile` while a sentinel that is held up is asked where the primary is. */
async function whileAsking(meanwhile: (connection: RedisConnection) => Promise<void> | void): Promise<RedisConnection> {
  const [first, second, third] = watched.ports as [number, number, number];
  // Whichever of the two is asked.
  await using slow = await openProxy(`redis://127.0.0.1:${first}`);
  await using other = await openProxy(`redis://127.0.0.1:${second}`);
  const connection = await openRedis({ url: sentinelUrl([own(slow), own(other), third]), reconnect: true });
  await until(async () => (await hearers(third)) > 0);
  slow.holdReplies();
  other.holdReplies();
  await connection.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined);
  await until(() => connection.client.status === 'connecting');
  await meanwhile(connection);
  slow.releaseReplies();
  other.releaseReplies();
  await expect.poll(() => isThere(connection), { timeout: 20_000 }).toBe(true);
  return connection;
}

test('a primary that is replaced while its sentinels are asked where it is: the connection comes back', async () => {
  const connection = await whileAsking(async () => {
    const heard = await listen(watched.ports[2]!);
    await watched.switchOver();
    await heard();
  });
  expect(await connection.client.info('replication')).toContain('role:master');
  connection.close();
});

test('a sentinel that hears of a new primary later than the others does not cost the link that leads there', async () => {
  const [first, second, third] = watched.ports as [number, number, number];
  await using late = await openProxy(`redis://127.0.0.1:${third}`);
  const connection = await openRedis({ url: sentinelUrl([first, second, own(late)]), reconnect: true });
  await until(async () => (await Promise.all(watched.ports.map(hearers))).every((count) => count > 0));
  const heardLate = await listen(own(late));
  const heard = await Promise.all(watched.ports.map(listen));
  late.holdReplies();
  await watched.switchOver();
  for (const one of heard) await one();
  await expect.poll(() => isThere(connection), { timeout: 20_000 }).toBe(true);
  expect(await connection.client.info('replication')).toContain('role:master');
  const link = await connection.client.client('ID');
  late.releaseReplies();
  await heardLate();
  expect(await connection.client.client('ID')).toBe(link);
  connection.close();
});

test('a link that is given up while the sentinels are asked is followed by another one, until the connection is closed', async () => {
  const connection = await whileAsking(({ client }) => client.disconnect(true));
  const ended = new Promise((resolve) => connection.client.once('end', resolve));
  connection.close();
  await ended;
  expect(connection.client.status).toBe('end');
});

test('a sentinel that says nothing is passed over', async () => {
  await using silent = await openProxy(`redis://127.0.0.1:${watched.ports[0]!}`);
  silent.holdReplies();
  const connection = await openRedis({ url: sentinelUrl([own(silent), watched.ports[1]!]), reconnect: false });
  expect(await connection.client.ping()).toBe('PONG');
  connection.close();
});

test('a sentinel that is away is not told of over our own words', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const connection = await openRedis({ url: sentinelUrl([watched.ports[0]!, 1]), reconnect: true });
  await until(async () => (await hearers(watched.ports[0]!)) > 0);
  expect(said).not.toHaveBeenCalled();
  connection.close();
});

describe('why no sentinel names the primary', () => {
  const fault = async (url: string, reconnect = false): Promise<unknown> => {
    try {
      (await openRedis({ url, reconnect })).close();
    } catch (error) {
      return error;
    }
    throw new Error(`${url} was opened`);
  };
  const secret = async (): Promise<Redis> => {
    const sentinel = new Redis({ host: '127.0.0.1', port: watched.ports[0]! });
    await sentinel.call('ACL', 'SETUSER', 'default', 'resetpass', '>geheim');
    return sentinel;
  };

  test.each([true, false])('all are away: each is told, at once (reconnect: %s)', async (reconnect) => {
    expect(await fault(sentinelUrl([1, 2]), reconnect)).toMatchObject({
      code: 'REDIS_DOWN',
      kind: 'unreachable',
      why: 'no sentinel answers (127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; 127.0.0.1:2: connect ECONNREFUSED 127.0.0.1:2)',
    });
  });

  test('another name, also beside one that is away', async () => {
    expect(await fault(sentinelUrl([watched.ports[0]!, 1]).replace('#shop', '#store'))).toMatchObject({
      code: 'REDIS_DOWN',
      message: `the sentinel 127.0.0.1:${watched.ports[0]} knows no primary "store"`,
      fix: expect.stringContaining('SENTINEL MASTERS'),
    });
  });

  test('a password that is missing, or wrong', async () => {
    const sentinel = await secret();
    const [port] = watched.ports as [number];
    const told = { code: 'REDIS_AUTH', kind: 'usage', fix: expect.stringContaining('sentinelPassword') };
    expect(await fault(sentinelUrl([1, port]))).toMatchObject({ ...told, message: `the sentinel 127.0.0.1:${port} needs a password` });
    const wrong = sentinelUrl([port, 1]).replace('#', '?sentinelPassword=falsch#');
    expect(await fault(wrong)).toMatchObject({ ...told, message: expect.stringContaining(`the sentinel 127.0.0.1:${port} refused`) });
    expect(String(await fault(wrong))).not.toContain('falsch');
    (await openRedis({ url: wrong.replace('falsch', 'geheim'), reconnect: true })).close();
    await sentinel.call('ACL', 'SETUSER', 'default', 'nopass');
    sentinel.disconnect();
  });

  test('the address of a sentinel alone', async () => {
    expect(await fault(`redis://127.0.0.1:${watched.ports[0]}`)).toMatchObject({
      code: 'BAD_REDIS_URL',
      fix: `Write redis-sentinel://127.0.0.1:${watched.ports[0]}/0#primary.`,
    });
  });

  test('TLS where none is spoken', async () => {
    expect(await fault(sentinelUrl([watched.ports[0]!]).replace('redis-', 'rediss-'))).toMatchObject({ code: 'REDIS_TLS', kind: 'usage' });
  });
});
