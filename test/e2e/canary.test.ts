import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { start } from '../support/processes.ts';

/** Stands where somebody else's store is, and counts whoever knocks. */
async function canary() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, connections: () => connections, close: () => server.close() };
}

async function runBeside(argv: string[]) {
  const redis = await canary();
  const postgres = await canary();
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}`, DATABASE_URL: `postgres://postgres@127.0.0.1:${postgres.port}/postgres` };
  const cwd = mkdtempSync(join(tmpdir(), 'coupon-'));
  writeFileSync(
    join(cwd, '.env'),
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const result = await start(argv, { env: { ...env, PGHOST: '127.0.0.1', PGPORT: String(postgres.port) }, cwd }).finished;
  redis.close();
  postgres.close();
  return { ...result, knocks: redis.connections() + postgres.connections() };
}

describe('stores of somebody else, named by REDIS_URL, DATABASE_URL, PGHOST and .env', () => {
  it.each([
    { argv: ['demo', '--quick'], says: 'Next: coupon-cli bench flash-sale --stack --out report' },
    { argv: ['bench', 'smoke', '--stack'], says: 'integrity proven' },
  ])('are not even connected to by $argv', async ({ argv, says }) => {
    const result = await runBeside(argv);
    expect(result).toMatchObject({ exitCode: 0, knocks: 0, stdout: expect.stringContaining(says) });
  });

  it('are what an ordinary command does connect to, so the canary can sing', async () => {
    expect(await runBeside(['inspect'])).toMatchObject({ exitCode: 3, knocks: expect.toSatisfy((knocks: number) => knocks > 0) });
  });
});
