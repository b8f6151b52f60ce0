import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: 'c', total: 10 });
});

/** Runs `serve` until the body is done. */
async function serving(flags: readonly string[], body: (url: string) => Promise<void>): Promise<CliResult> {
  let send: (signal: 'SIGTERM') => void = () => undefined;
  let failure: unknown;
  const result = await cli(['serve', '--port', '0', ...at(stores), ...flags], {
    onListen: (listener) => (send = listener),
    onStdout: (line) =>
      void body(/http:\/\/\S+/.exec(line)![0])
        .catch((error: unknown) => (failure = error))
        .then(() => send('SIGTERM')),
  });
  if (failure) throw failure;
  return result;
}

const asked = (url: string, userId: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/coupons/c/requests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ userId }),
  });

const lines = ({ stderr }: CliResult): Record<string, unknown>[] =>
  stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('serve --log-format json', () => {
  test('a line for each request with its id, and no id of a user', async () => {
    const ids: (string | null)[] = [];
    const result = await serving(['--log-format', 'json'], async (url) => {
      ids.push((await asked(url, 'kim@shop.example', { 'x-request-id': 'edge-1:7' })).headers.get('x-request-id'));
      for (const odd of ['a b', 'x'.repeat(129), '<script>'])
        ids.push((await asked(url, 'lee', { 'x-request-id': odd })).headers.get('x-request-id'));
      await fetch(`${url}/coupons/c/requests/kim%40shop.example`);
      await fetch(`${url}/nowhere/kim%40shop.example`);
    });
    expect(ids[0]).toBe('edge-1:7');
    for (const id of ids.slice(1)) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const requests = lines(result).filter(({ msg }) => msg === 'request');
    expect(requests.map(({ requestId }) => requestId).slice(0, 4)).toEqual(ids);
    const [first, , , , status, nowhere] = requests;
    const user = expect.stringMatching(/^[0-9a-f]{16}$/) as string;
    expect(first).toMatchObject({
      level: 'info',
      service: 'serve',
      method: 'POST',
      route: '/coupons/:couponId/requests',
      coupon: 'c',
      user,
      status: 202,
    });
    expect(status).toMatchObject({ route: '/coupons/:couponId/requests/:userId', user: first!['user'], status: 200 });
    expect(nowhere).toMatchObject({ route: null, status: 404 });
    expect(result.stderr).not.toMatch(/kim|lee|@shop/);
    // Notes are lines as well.
    expect(lines(result).map(({ msg }) => msg)).toContain('stopped');
  });

  test('--log-users names them', async () => {
    const result = await serving(['--log-format', 'json', '--log-users'], async (url) => void (await asked(url, 'kim')));
    expect(lines(result).find(({ msg }) => msg === 'request')).toMatchObject({ user: 'kim' });
  });

  test('secrets are masked, and a failure is a line too', async () => {
    const secret = `pw-${randomUUID()}`;
    const url = new URL(stores.databaseUrl);
    url.password = secret;
    const result = await cli(['serve', '--port', '0', '--redis-url', stores.redisUrl, '--database-url', url.href, '--log-format', 'json']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).not.toContain(secret);
    expect(lines(result).at(-1)).toMatchObject({ level: 'fatal', error: { code: 'DATABASE_AUTH' }, exitCode: 2 });
  });
});

test('without the flag a request leaves no line and no header', async () => {
  const result = await serving([], async (url) => expect((await asked(url, 'kim')).headers.get('x-request-id')).toBeNull());
  expect(result.stderr).toBe('SIGTERM: finishing; once more ends at once\nstopped\n');
});

test('pretty is for people: one line each, and no control characters of strangers', async () => {
  const result = await serving(['--log-format', 'pretty', '--log-users'], async (url) => void (await asked(url, 'kim')));
  expect(result.stderr).toMatch(/^\[.*\] INFO: request \{.*"user":"kim".*\}$/m);
});

test('drain names refused users by their hash, also in what the ledger said', async () => {
  await stores.sql(`CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF new.user_id = 'kim' THEN RAISE EXCEPTION 'user kim is banned'; END IF; RETURN new; END $$`);
  await stores.sql('CREATE TRIGGER veto BEFORE INSERT ON issued_coupons FOR EACH ROW EXECUTE FUNCTION veto()');
  await stores.admission.admit(
    'c',
    ['kim', 'lee'].map((userId) => ({ userId, requestId: userId })),
  );
  const result = await cli(['drain', '--until-empty', '--eager', ...at(stores), '--log-format', 'json']);
  expect(result).toMatchObject({ exitCode: 0 });
  expect(lines(result).find(({ level }) => level === 'warn')?.['msg']).toMatch(
    /user [0-9a-f]{16} dead-lettered.*user [0-9a-f]{16} is banned/,
  );
  expect(result.stderr).not.toContain('kim');
  await stores.sql('DROP TRIGGER veto ON issued_coupons');
});

test.each([
  [['--log-format', 'xml'], /BAD_LOG_FORMAT/],
  [['--log-users'], /LOG_USAGE/],
])('%j: exit 2', async (flags, words) => {
  const { exitCode, stderr } = await cli(['drain', '--once', ...at(stores), ...flags]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(words);
});
