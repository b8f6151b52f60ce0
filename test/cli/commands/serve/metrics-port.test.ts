import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { at, cli } from '../../../support/run-cli.ts';

let stores: TestStores;
beforeAll(async () => void (stores = await openStores()));
afterAll(() => stores[Symbol.asyncDispose]());

/** Runs `serve` with these flags until the body is done. */
async function serving(flags: readonly string[], body: (urls: { url: string; metricsUrl: string }) => Promise<void>): Promise<void> {
  let stop: (name: StopSignal) => void = () => undefined;
  let done: Promise<void> | undefined;
  let failure: unknown;
  const { exitCode } = await cli(['serve', '--port', '0', '--json', ...at(stores), ...flags], {
    onListen: (listener) => (stop = listener),
    onStdout: (line) => {
      done = body(JSON.parse(line) as { url: string; metricsUrl: string })
        .catch((error: unknown) => (failure = error))
        .then(() => stop('SIGTERM'));
    },
  });
  await done;
  if (failure) throw failure;
  expect(exitCode).toBe(0);
}

const status = async (url: string): Promise<number> => (await fetch(url)).status;

test('metrics move to a port of their own, and are nowhere else', async () => {
  await serving(['--metrics-port', '0'], async ({ url, metricsUrl }) => {
    expect(new URL(metricsUrl)).toMatchObject({ hostname: '127.0.0.1' });
    expect(await (await fetch(`${metricsUrl}/metrics`)).text()).toContain('coupon_store_up');
    expect([await status(`${url}/metrics`), await status(`${url}/livez`)]).toEqual([404, 200]);
    expect([await status(`${metricsUrl}/coupons/42`), await status(`${metricsUrl}/openapi.json`)]).toEqual([404, 404]);
    expect(JSON.stringify(await (await fetch(`${url}/openapi.json`)).json())).not.toContain('/metrics');
  });
});

test('without it they are where the requests are', async () => {
  await serving([], async ({ url, metricsUrl }) => {
    expect(metricsUrl).toBeUndefined();
    expect(await status(`${url}/metrics`)).toBe(200);
  });
});

test('a port that is taken ends the command, and leaves no endpoint behind', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { exitCode, stdout, stderr } = await cli(['serve', '--port', '0', ...at(stores), '--metrics-port', String(port)]);
  taken.close();
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain('--metrics-port');
});

test.each([
  [['--metrics-port', 'http'], 'BAD_NUMBER'],
  [['--metrics-port', '65536'], 'BAD_NUMBER'],
  [['--metrics-port', '0', '--workers', '2'], 'SERVE_USAGE'],
  [['--metrics-port', '0', '--metrics-host', 'no.such.address.invalid'], 'BAD_HOST'],
])('%j is refused: %s', async (flags, code) => {
  const { exitCode, stderr } = await cli(['serve', '--port', '0', ...at(stores), ...flags]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(code);
});
