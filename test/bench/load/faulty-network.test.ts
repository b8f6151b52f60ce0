import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { deadPort, rawServer, replyText } from './faulty-servers.ts';
import type { Exchange } from './faulty-servers.ts';
import { loadPlan, runLoad, usersByOutcome } from './plans.ts';
import type { TestLoad } from './plans.ts';

interface FaultRun {
  /** Users whose request the server took on. */
  processed: string[];
  /** Users whom the server sent a complete "accepted". */
  told: string[];
  by: Record<string, string[]>;
  result: Awaited<ReturnType<typeof runLoad>>;
}

/** Runs a load against a server that accepts everybody, unless `fault` takes the request over by returning true. */
async function against(fault: (exchange: Exchange) => boolean | void, load: TestLoad = {}): Promise<FaultRun> {
  const processed: string[] = [];
  const told: string[] = [];
  await using server = await rawServer((exchange) => {
    processed.push(exchange.userId);
    if (fault(exchange)) return;
    told.push(exchange.userId);
    exchange.reply(202);
  });
  const plan = loadPlan(server.url, load);
  const result = await runLoad(plan);
  return { processed, told, by: usersByOutcome(plan, result), result };
}

/** What must hold whatever the network does. */
function everyRequestIsAccountedFor({ processed, told, by, result }: FaultRun, planned = 400): void {
  expect(Object.values(result.outcomes).reduce((sum, count) => sum + count, 0)).toBe(planned);
  expect(new Set(processed).size, 'no request is sent twice').toBe(processed.length);
  expect(by['accepted']?.toSorted() ?? [], 'every accepted reply is on the record').toEqual(told.toSorted());
  const unsent = new Set(by['unsent']);
  expect(
    processed.filter((user) => unsent.has(user)),
    'what arrived is not "unsent"',
  ).toEqual([]);
}

describe('every request ends as exactly one outcome', () => {
  test('a clean server: everybody is accepted', async () => {
    const run = await against(() => false);
    everyRequestIsAccountedFor(run);
    expect(run.result.outcomes.accepted).toBe(400);
    expect(run.result.generator.faults).toEqual({});
  });

  test('a reset instead of a reply: unknown', async () => {
    const run = await against(({ socket, nth }) => nth % 10 === 0 && Boolean(socket.resetAndDestroy()));
    everyRequestIsAccountedFor(run);
    expect(run.result.outcomes).toMatchObject({ accepted: 360, unknown: 40, unsent: 0 });
    expect(run.result.generator.faults).toEqual({ ECONNRESET: 40 });
  });

  test('an end of stream instead of a reply: unknown', async () => {
    const run = await against(({ socket, nth }) => nth % 10 === 0 && Boolean(socket.end()));
    everyRequestIsAccountedFor(run);
    expect(run.result.outcomes).toMatchObject({ accepted: 360, unknown: 40, unsent: 0 });
    expect(run.result.generator.faults).toEqual({ closed: 40 });
  });

  test('no reply in time: unknown, and nobody else waits for it', async () => {
    const run = await against(({ nth }) => nth % 40 === 0, { timeout: '200ms' });
    everyRequestIsAccountedFor(run);
    expect(run.result.outcomes).toMatchObject({ accepted: 390, unknown: 10, unsent: 0 });
    expect(run.result.generator.faults).toEqual({ timeout: 10 });
  });

  test('a reply cut off in its body: unknown', async () => {
    const run = await against(
      ({ socket, nth }) => nth % 25 === 0 && Boolean(socket.end('HTTP/1.1 202 X\r\nContent-Length: 100\r\n\r\n{"half":')),
    );
    everyRequestIsAccountedFor(run);
    expect(run.result.outcomes).toMatchObject({ accepted: 384, unknown: 16, unsent: 0 });
  });

  test('a reply that is not HTTP: unknown at once, not after the timeout', async () => {
    const run = await against(({ socket, nth }) => nth % 25 === 0 && socket.write('what?\r\n'), { timeout: '10m' });
    everyRequestIsAccountedFor(run);
    expect(run.result.generator.faults).toEqual({ garbled: 16 });
  });

  test('"Connection: close" on every reply: everybody is accepted on a connection of his own', async () => {
    const run = await against(({ socket, reply }) => {
      reply(202, { headers: ['Connection: close'] });
      socket.end();
      return true;
    });
    expect(run.result.outcomes).toMatchObject({ accepted: 400 });
    expect(run.processed).toHaveLength(400);
    expect(run.result.generator.reconnects).toBeGreaterThanOrEqual(390);
  });

  test('a cap of 100 requests on a connection, as Tomcat has: everybody is accepted', async () => {
    const run = await against(
      ({ socket, reply, onConnection }) => {
        if (onConnection < 100) return false;
        reply(202, { headers: ['Connection: close'] });
        socket.end();
        return true;
      },
      { users: 5_000, vus: 20 },
    );
    expect(run.result.outcomes).toMatchObject({ accepted: 5_000, unknown: 0 });
  });

  test('a body that ends with the connection: counted like any other', async () => {
    const run = await against(({ socket, nth }) => nth % 10 === 0 && Boolean(socket.end('HTTP/1.1 202 X\r\n\r\n{"no":"length"}')));
    expect(run.result.outcomes).toMatchObject({ accepted: 400, unknown: 0 });
  });

  test('a chunked body in many pieces is one reply', async () => {
    const run = await against(({ socket, nth }) => {
      if (nth % 10 !== 0) return false;
      const pieces = ['HTTP/1.1 202 X\r\nTransfer-', 'Encoding: chunked\r\n\r', '\n3\r\nabc\r', '\n2\r\nde\r\n0\r\n', '\r\n'];
      const next = (): void => {
        const piece = pieces.shift();
        if (piece !== undefined) socket.write(piece, () => setImmediate(next));
      };
      next();
      return true;
    });
    expect(run.result.outcomes).toMatchObject({ accepted: 400 });
  });

  test('an interim 103 is not the reply', async () => {
    const run = await against(({ socket }) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n');
      return false;
    });
    everyRequestIsAccountedFor(run);
    expect(run.result.outcomes.accepted).toBe(400);
  });

  test('a second reply to one request is not taken for the answer to the next', async () => {
    const run = await against(({ socket, nth }) => {
      if (nth % 10 !== 0) return false;
      socket.write(replyText(410) + replyText(202));
      return true;
    });
    expect(run.result.outcomes).toMatchObject({ accepted: 360, sold_out: 40, unknown: 0 });
    everyRequestIsAccountedFor(run);
  });

  test('a port that is closed at first: nothing is lost, nothing is sent twice', async () => {
    const port = await deadPort();
    const plan = loadPlan(`http://127.0.0.1:${port}`);
    const running = runLoad(plan);
    await sleep(300);
    await using _server = await rawServer(({ reply }) => reply(202), port);
    const result = await running;
    expect(result.outcomes).toMatchObject({ accepted: 400, unknown: 0, unsent: 0 });
    // A hot loop would have tried thousands of times.
    expect(result.generator.faults['ECONNREFUSED']).toBeLessThan(200);
  });

  test('a port that stays closed: the run gives up, and everything is unsent', async () => {
    const plan = loadPlan(`http://127.0.0.1:${await deadPort()}`);
    const result = await runLoad(plan, { targetLostAfterMs: 200 });
    expect(result.targetLost).toBe(true);
    expect(result.outcomes.unsent).toBe(400);
  });

  test('a server that dies on the way: what it took on is accepted or unknown, the rest unsent', async () => {
    const processed: string[] = [];
    const server = await rawServer(({ userId, nth, reply }) => {
      if (nth > 200) return;
      processed.push(userId);
      reply(202);
      if (nth === 200) void server[Symbol.asyncDispose]();
    });
    const plan = loadPlan(server.url);
    const result = await runLoad(plan, { targetLostAfterMs: 200 });
    const by = usersByOutcome(plan, result);
    expect(result.targetLost).toBe(true);
    expect(result.outcomes.unsent).toBeGreaterThan(0);
    const ended = new Set([...(by['accepted'] ?? []), ...(by['unknown'] ?? [])]);
    expect(processed.filter((user) => !ended.has(user))).toEqual([]);
  });
});

describe('the end of a load', () => {
  test('an interrupt stops sending, and replies under way still count', async () => {
    const stop = new AbortController();
    const held: Exchange[] = [];
    await using server = await rawServer((exchange) => {
      if (exchange.nth <= 100) {
        exchange.reply(202);
        return;
      }
      held.push(exchange);
      if (held.length < 10) return;
      stop.abort();
      // Only now do those under way get their answers.
      setImmediate(() => held.forEach((one) => one.reply(410)));
    });
    const result = await runLoad(loadPlan(server.url), { signal: stop.signal });
    expect(result.interrupted).toBe(true);
    expect(result.outcomes).toMatchObject({ accepted: 100, sold_out: 10, unknown: 0, unsent: 290 });
  });

  test('at the end of its time a phase stops, and what never gets an answer is unknown', async () => {
    await using server = await rawServer(({ nth, reply }) => nth <= 100 && reply(202));
    const result = await runLoad(loadPlan(server.url, { maxDuration: '300ms', gracefulStop: '100ms', timeout: '1m' }));
    expect(result.outcomes).toMatchObject({ accepted: 100, unknown: 10, unsent: 290 });
    expect(result.generator.faults).toEqual({ abandoned: 10 });
  });
});

test('users ask in an order of their own, each with his own id', async () => {
  const users: string[] = [];
  await using server = await rawServer(({ userId, reply }) => {
    users.push(userId);
    reply(202);
  });
  await runLoad(loadPlan(server.url, { users: 1_000 }));
  expect(new Set(users).size).toBe(1_000);
  expect(users).not.toEqual(users.toSorted());
});
