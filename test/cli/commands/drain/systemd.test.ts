import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { at, cli, type CliResult } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { openProxy } from '../../../support/tcp-proxy.ts';
import { until } from '../../../support/until.ts';

const SOCKET = '/run/systemd/notify-test';

let stores: TestStores;
let folder: string;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coupon-systemd-'));
});

/** A `systemd-notify` that writes down what it was called with. */
function installNotify(ending = ''): void {
  const script = `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> "${folder}/told"\n${ending}\n`;
  writeFileSync(join(folder, 'systemd-notify'), script, { mode: 0o755 });
}
const told = (): string[] => (existsSync(join(folder, 'told')) ? readFileSync(join(folder, 'told'), 'utf8').trim().split('\n') : []);
const messages = (): string[] => [`${SOCKET} --ready --pid=${process.pid}`, `${SOCKET} STOPPING=1`];

/**
 * Runs a service under a systemd that listens at SOCKET until the body is done, then stops it with a signal.
 *
 * @param body may look at what the service has said on stderr
 */
async function supervised(argv: readonly string[], body: (said: () => string) => Promise<void>): Promise<CliResult> {
  let done: Promise<void> | undefined;
  let said = '';
  const result = await cli([...at(stores), ...argv], {
    vars: { NOTIFY_SOCKET: SOCKET },
    path: folder,
    onListen: (send: (name: StopSignal) => void) => {
      done = body(() => said).finally(() => send('SIGTERM'));
    },
    onStderr: (text) => (said += text),
  });
  await done;
  return result;
}

describe.each([[['serve', '--port', '0']], [['drain']]])('%j under systemd', (argv) => {
  it('tells once that it is ready, and then that it stops', async () => {
    installNotify();
    const result = await supervised(argv, () => until(() => told().length > 0));
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).not.toContain('warning');
    expect(told()).toEqual(messages());
  });

  it('works without systemd-notify, and says what to do', async () => {
    const result = await supervised(argv, (said) => until(() => said().includes('systemd-notify')));
    expect(result.exitCode).toBe(0);
    expect(result.stderr.match(/warning: .*no systemd-notify.*NotifyAccess=all/g)).toHaveLength(1);
  });

  it('says why systemd-notify failed', async () => {
    installNotify('echo "Failed to notify init system: Connection refused" >&2; exit 1');
    const result = await supervised(argv, () => until(() => told().length > 0));
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toMatch(/warning: .*Failed to notify init system: Connection refused/);
  });
});

it('a drain is not ready before its stores are open', async () => {
  installNotify();
  await using proxy = await openProxy(stores.databaseUrl);
  await proxy.cut();
  const where = ['--database-url', proxy.through(stores.databaseUrl)];
  let early: string[] | undefined;
  await supervised(['drain', ...where], async (said) => {
    await until(() => said().includes('trying again'));
    early = told();
    await proxy.restore();
    await until(() => told().length > 0);
  });
  expect(early).toEqual([]);
  expect(told()).toEqual(messages());
});

it('a service that was not started by systemd tells nobody', async () => {
  installNotify();
  const result = await cli(['drain', '--once', ...at(stores)], { path: folder });
  expect(result.exitCode).toBe(0);
  expect(told()).toEqual([]);
});
