/** `coupon-cli grants`: what it prints is enough for each command, and none of it is too much. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StopSignal } from '../../src/cli/env.ts';
import { COMMAND_USES, type CommandUse } from '../../src/stores/rights/commands.ts';
import { allSelected, select } from '../../src/stores/rights/select.ts';
import { reportCoupon } from '../support/foreign-coupon.ts';
import { extraRedis, type ExtraRedis } from '../support/extra-redis.ts';
import { commandsRun, grantedUser, type Granted, type GrantingStores } from '../support/granted.ts';
import { at, cli, type CliResult } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

let own: ExtraRedis;
let ledger: TestStores;
let stores: GrantingStores;

beforeAll(async () => {
  own = await extraRedis();
  ledger = await openStores();
  await ledger.sql(`ALTER TABLE issued_coupons ADD CONSTRAINT no_bots CHECK (user_id NOT LIKE 'bot-%')`);
  stores = { redis: new Redis(own.url), redisUrl: own.url, databaseUrl: ledger.databaseUrl, sql: ledger.sql };
});
afterAll(async () => {
  stores.redis.disconnect();
  await ledger[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await stores.redis.flushall();
  await stores.sql('TRUNCATE coupons, issued_coupons, operator_log, coupon_ended_epochs');
});

/** What the user has sent so far: all that Redis ran, but for what an operator ran in between. */
const sent = new Set<string>();
const noteSent = async (): Promise<void> => {
  for (const command of await commandsRun(stores.redis)) sent.add(command);
};

async function admin(...argv: string[]): Promise<CliResult> {
  await noteSent();
  const result = await cli([...argv, ...at(stores)]);
  await stores.redis.config('RESETSTAT');
  return result;
}
const seedArgs = ['seed', 'sale', '--name', 'Sale', '--stock', '50'];

/** A coupon with issued, waiting and dead-lettered users. */
async function campaign(stock = 50): Promise<void> {
  await admin('seed', 'sale', '--name', 'Sale', '--stock', String(stock));
  await admin('submit', 'sale', '--users', '10');
  await admin('submit', 'sale', '--users', '2', '--prefix', 'bot-');
  await admin('drain', 'sale', '--until-empty', '--eager', '--interval', '10ms');
  await admin('submit', 'sale', '--users', '5', '--prefix', 'late-');
}

/** A user whom a worker holds, as a claim leaves it. */
async function holdOne(): Promise<void> {
  await stores.redis.zadd('coupon_leases:sale', Date.now() + 60_000, 'late-1');
  await stores.redis.hset('coupon_claims:sale', 'late-1', '9:w:1:60000:1:0');
}

/** Runs a command that goes on until a signal, from its first line on stdout until the body is done. */
async function during(argv: readonly string[], body: (url: string) => Promise<void>): Promise<CliResult> {
  let stop: (name: StopSignal) => void = () => undefined;
  let done: Promise<void> | undefined;
  const result = await cli([...argv, '--json'], {
    onListen: (send) => (stop = send),
    onStdout: (line) => {
      done ??= body((JSON.parse(line.split('\n')[0]!) as { url: string }).url).finally(() => stop('SIGTERM'));
    },
  });
  await done;
  return result;
}

const post = async (url: string, body: object = {}): Promise<number> =>
  (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status;
const get = async (url: string): Promise<number> => (await fetch(url)).status;

async function everyRoute(url: string): Promise<void> {
  expect(await post(`${url}/coupons/sale/requests`, { userId: 'route-1' })).toBe(202);
  expect(await post(`${url}/coupons/sale/requests`, { userId: 'route-1' })).toBe(409);
  expect(await get(`${url}/coupons/sale/requests/user-1`)).toBe(200);
  expect(await get(`${url}/coupons/sale/requests/late-1`)).toBe(200);
  expect(await get(`${url}/coupons/sale`)).toBe(200);
  expect(await post(`${url}/coupons/sale/issued/user-1/use`)).toBe(200);
  expect(await post(`${url}/coupons/sale/issued/user-1/use`)).toBe(409);
  expect(await get(`${url}/readyz`)).toBe(200);
  // Sold out: who was accepted is looked up, and refusals come from memory.
  const knows = async (command: string): Promise<boolean> => (await commandsRun(stores.redis)).has(command);
  await until(async () => (await post(`${url}/coupons/sale/requests`, { userId: 'nobody' })) === 410 && (await knows('zscan')));
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('coupon_store_up{store="redis"} 1');
}

/** A scenario that is measured by somebody who may only read. */
function scenario(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'mine.yaml');
  const content = {
    version: 1,
    name: 'mine',
    coupons: [{ id: 'sale', total: 20 }],
    users: { count: 60, duplicateRate: 0.5 },
    phases: [{ vus: 5 }],
    settle: { quietFor: '100ms' },
  };
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** How each command is run as the user that it was granted to. Each ends with 0 unless it says otherwise. */
const RUNS: Readonly<Record<string, (user: Granted) => Promise<CliResult[]>>> = {
  seed: async ({ at: as }) => [await cli([...seedArgs, ...as]), await cli([...seedArgs, ...as])],
  'seed --reset': async ({ at: as }) => {
    await campaign();
    return [await cli([...seedArgs, '--reset', '--confirm=sale', ...as])];
  },
  adopt: async ({ at: as }) => {
    await noteSent();
    await reportCoupon(stores.redis, 'sale');
    await stores.redis.config('RESETSTAT');
    return [await cli(['adopt', 'sale', ...as])];
  },
  serve: async ({ at: as }) => {
    await campaign(18);
    return [await during(['serve', '--port', '0', ...as], everyRoute)];
  },
  submit: async ({ at: as }) => {
    await admin(...seedArgs);
    return [await cli(['submit', 'sale', '--users', '20', ...as])];
  },
  drain: async ({ at: as }) => {
    await campaign();
    await admin('submit', 'sale', '--users', '1', '--prefix', 'bot-x');
    return [await cli(['drain', '--until-empty', '--eager', '--interval', '10ms', ...as])];
  },
  'drain --scan': async ({ at: as }) => {
    await campaign();
    return [await cli(['drain', '--scan', '--once', ...as])];
  },
  'drain --accepted-means': async ({ at: as }) => {
    await campaign();
    // There is no replica: nobody is issued whose claim could be lost.
    const drained = await cli(['drain', '--once', '--wait-for-stores', '1s', '--accepted-means', 'replica', ...as]);
    expect(drained).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('no replica confirmed') });
    return [];
  },
  'drain --health-port': async ({ at: as }) => {
    await campaign();
    const looks = async (url: string): Promise<void> => {
      await until(async () => (await get(`${url}/readyz`)) === 200);
      await admin('submit', 'sale', '--users', '3', '--prefix', 'later-');
      const scrape = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
      await until(async () => (await scrape()).includes('coupon_queue_depth{coupon="sale",state="waiting"} 3'));
    };
    return [await during(['drain', '--health-port', '0', '--interval', '1h', ...as], looks)];
  },
  pause: async ({ at: as }) => {
    await admin(...seedArgs);
    return [await cli(['pause', 'sale', ...as])];
  },
  resume: async ({ at: as }) => {
    await admin(...seedArgs);
    await admin('pause', 'sale');
    return [await cli(['resume', 'sale', ...as])];
  },
  restock: async ({ at: as }) => {
    await campaign();
    return [await cli(['restock', 'sale', '--add', '5', ...as])];
  },
  extend: async ({ at: as }) => {
    await admin(...seedArgs);
    return [await cli(['extend', 'sale', '--closes-at', 'in 2h', ...as])];
  },
  rename: async ({ at: as }) => {
    await admin(...seedArgs);
    return [await cli(['rename', 'sale', '--name', 'Other', ...as])];
  },
  edit: async ({ at: as }) => {
    await admin(...seedArgs);
    const stdin = 'coupons: [{id: sale, name: Edited, total: 50}]';
    return [await cli(['edit', '--file', '-', '--confirm', ...as], { stdin })];
  },
  close: async ({ at: as }) => {
    await campaign();
    return [await cli(['close', 'sale', '--force', ...as])];
  },
  revoke: async ({ at: as }) => {
    await campaign();
    const revoke = (...argv: string[]) => cli(['revoke', 'sale', ...argv, '--reason', 'refunded', ...as]);
    return [await revoke('user-1'), await revoke('user-2', '--return-stock'), await revoke('user-1')];
  },
  forget: async ({ at: as }) => {
    await campaign();
    const forget = (user: string) => cli(['forget', user, '--confirm', ...as]);
    return [await forget('user-1'), await forget('late-1'), await forget('bot-1')];
  },
  log: async ({ at: as }) => [await cli(['log', ...as]), await cli(['log', 'sale', ...as])],
  'dead list': async ({ at: as }) => {
    await campaign();
    return [await cli(['dead', 'list', 'sale', ...as])];
  },
  'dead retry': async ({ at: as }) => {
    await campaign();
    return [await cli(['dead', 'retry', 'sale', '--all', ...as])];
  },
  'dead drop': async ({ at: as }) => {
    await campaign();
    return [await cli(['dead', 'drop', 'sale', '--all', '--confirm=sale', ...as])];
  },
  use: async ({ at: as }) => {
    await campaign();
    const used = await cli(['use', 'sale', 'user-2', '--use-id', 'u', ...as]);
    await stores.redis.del('issued_coupon:coupon:sale-user:user-2');
    return [used, await cli(['use', 'sale', 'user-2', '--use-id', 'u', ...as])];
  },
  doctor: async ({ at: as }) => [await cli(['doctor', ...as])],
  completion: async ({ at: as }) => {
    await admin(...seedArgs);
    const result = await cli(['completion', 'words', '--', ...as, 'export', 'sa']);
    expect(result.stdout).toBe('sale\tSale\n');
    return [result];
  },
  export: async ({ at: as }) => {
    await campaign();
    return [await cli(['export', 'sale', ...as])];
  },
  purge: async ({ at: as }) => {
    await campaign();
    await admin('dead', 'drop', 'sale', '--all', '--confirm=sale');
    await admin('drain', 'sale', '--until-empty', '--eager', '--interval', '10ms');
    await admin('close', 'sale');
    await admin('export', 'sale');
    return [await cli(['purge', 'sale', '--confirm=sale', ...as])];
  },
  inspect: async ({ at: as }) => {
    await campaign();
    const forms = [[], ['coupon', 'sale'], ['queue', 'sale'], ['issued', 'sale'], ['user', 'sale', 'user-1'], ['user', 'sale', 'late-1']];
    const results: CliResult[] = [];
    for (const form of forms) results.push(await cli(['inspect', ...form, ...as]));
    return results;
  },
  top: async ({ at: as }) => {
    await campaign();
    await holdOne();
    return [await cli(['top', '--once', '--interval', '250ms', ...as])];
  },
  dashboard: async ({ at: as }) => {
    await campaign();
    await holdOne();
    const looks = async (url: string): Promise<void> => expect(await get(`${url}/view.json`)).toBe(200);
    return [await during(['dashboard', '--port', '0', '--interval', '250ms', ...as], looks)];
  },
  audit: async ({ at: as }) => {
    await campaign();
    return [await cli(['audit', ...as])];
  },
  'audit --scan': async ({ at: as }) => {
    await campaign();
    return [await cli(['audit', '--scan', ...as])];
  },
  'audit --repair': async ({ at: as }) => {
    await campaign();
    await admin('use', 'sale', 'user-3');
    await stores.redis.hset('issued_coupon:coupon:sale-user:user-3', 'used_at', '');
    await stores.redis.hset('issued_coupon:coupon:sale-user:user-4', 'used_at', '2026-01-01T00:00:00.000Z');
    await stores.redis.hdel('coupon_admitted:sale', 'user-5');
    await stores.redis.zrem('coupon_waiting_queue:sale', 'late-1');
    await stores.redis.hincrby('coupon:sale', 'stock', 3);
    const mended = await cli(['audit', '--repair', ...as]);
    await stores.redis.del('coupon:sale', 'coupon_life:sale');
    return [mended, await cli(['audit', '--repair', '--reopen', ...as])];
  },
  'bench --url': async ({ at: as }) => {
    await admin('seed', 'sale', '--name', 'Sale', '--stock', '20');
    let measured: CliResult | undefined;
    await during(['drain', '--health-port', '0', '--eager', '--interval', '50ms', ...at(stores)], async () => {
      await during(['serve', '--port', '0', ...at(stores)], async (url) => {
        measured = await cli(['bench', scenario(), '--url', url, ...as]);
      });
    });
    return [measured!];
  },
};

describe('what grants prints for a command is enough for it', () => {
  it('and is tried here for every command', () => {
    const elsewhere = ['migrate', 'serve --accepted-means', 'submit --accepted-means'];
    expect([...Object.keys(RUNS), ...elsewhere].toSorted()).toEqual(
      allSelected()
        .map(({ name }) => name)
        .toSorted(),
    );
  });

  it.each(Object.keys(RUNS))('%s', async (name) => {
    const user = await grantedUser(stores, name);
    try {
      await stores.redis.script('FLUSH');
      await stores.redis.config('RESETSTAT');
      for (const result of await RUNS[name]!(user)) {
        expect(result, result.stdout + result.stderr).toMatchObject({ exitCode: 0 });
        expect(result.stderr).not.toMatch(/permission|NOPERM|may not|INFO/i);
      }
    } finally {
      await user.remove();
    }
  });

  it.each([
    ['public', []],
    ['a schema of its own', ['--schema', 'coupon_cli']],
  ])('migrate, in %s', async (_where, flags) => {
    await using fresh = await openStores({ migrated: false });
    const user = await grantedUser({ ...stores, databaseUrl: fresh.databaseUrl, sql: fresh.sql }, 'migrate', flags);
    try {
      for (const expected of ['applied: 0001', 'the schema is up to date']) {
        expect(await cli(['migrate', ...user.at])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(expected) });
      }
    } finally {
      await fresh.sql(`DROP OWNED BY "${new URL(user.databaseUrl).username}"`);
      await user.remove();
    }
  });

  it('serve --accepted-means replica, and drain with a prefix and the other key style on another database', async () => {
    await using replica = await extraRedis(['--replicaof', '127.0.0.1', String(own.port)]);
    expect(replica.port).not.toBe(own.port);
    await until(async () => (await stores.redis.info('replication')).includes('state=online'));
    await campaign();
    const serving = await grantedUser(stores, 'serve --accepted-means');
    const result = await during(['serve', '--port', '0', '--accepted-means', 'replica', ...serving.at], async (url) => {
      expect(await post(`${url}/coupons/sale/requests`, { userId: 'kept' })).toBe(202);
    });
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    await serving.remove();

    const flags = ['--key-prefix', 'st:', '--key-style', 'hash-tag'];
    const elsewhere = { ...stores, redisUrl: `${stores.redisUrl}/3` };
    await stores.sql('TRUNCATE coupons, issued_coupons');
    for (const argv of [seedArgs, ['submit', 'sale', '--users', '3'], ['drain', '--until-empty', '--interval', '10ms']]) {
      const user = await grantedUser(elsewhere, argv[0]!, flags);
      expect(await cli([...argv, ...user.at])).toMatchObject({ exitCode: 0 });
      await user.remove();
    }
  });
});

/** Sent only when something has failed, or in a step that the runs above do not take. */
const RARELY_SENT: Readonly<Record<string, readonly string[]>> = {
  // Takes a place in the index back when Redis refuses the coupon.
  seed: ['srem'],
  // Compares the window, where the coupon was not closed by hand.
  purge: ['time'],
  // Deletes users of a life that the ledger has ended.
  'audit --repair': ['unlink', 'srem'],
};

describe('none of it is too much:', () => {
  const direct = (name: string): Set<string> => {
    const uses = select(name, false).flatMap(({ uses: some }) => some as readonly CommandUse[]);
    return new Set(uses.flatMap(({ redis = [] }) => redis.flatMap((keys) => Object.values(keys).flatMap((words) => words.split(' ')))));
  };

  it.each(Object.keys(RUNS).filter((name) => direct(name).size > 0))('%s sends every command that it may send', async (name) => {
    const user = await grantedUser(stores, name);
    try {
      await stores.redis.config('RESETSTAT');
      sent.clear();
      await RUNS[name]!(user);
      await noteSent();
      const rarely = RARELY_SENT[name] ?? [];
      expect([...direct(name)].filter((command) => !sent.has(command) && !rarely.includes(command))).toEqual([]);
      expect(rarely.filter((command) => !direct(name).has(command))).toEqual([]);
    } finally {
      await user.remove();
    }
  });

  const snapshot = async (): Promise<string> => {
    const keys = (await stores.redis.keys('*')).toSorted();
    const dumps = await Promise.all(keys.map(async (key) => [key, (await stores.redis.dumpBuffer(key)).toString('base64')]));
    const rows = await Promise.all(
      ['coupons', 'issued_coupons', 'operator_log'].map((table) => stores.sql(`SELECT ${table}::text AS row FROM ${table} ORDER BY 1`)),
    );
    return JSON.stringify([dumps, rows]);
  };

  const LACKING: Readonly<Record<string, readonly string[]>> = {
    seed: ['seed', 'other', '--name', 'Other', '--stock', '5'],
    'seed --reset': [...seedArgs, '--reset', '--confirm=sale'],
    serve: ['serve', '--port', '0'],
    submit: ['submit', 'sale', '--users', '5', '--prefix', 'more-'],
    drain: ['drain', '--until-empty', '--interval', '10ms'],
    audit: ['audit'],
    'audit --repair': ['audit', '--repair'],
    use: ['use', 'sale', 'user-1'],
    'dead drop': ['dead', 'drop', 'sale', '--all', '--confirm=sale'],
    restock: ['restock', 'sale', '--add', '1'],
  };

  it.each(Object.keys(LACKING))(
    '%s without one of its rights names it, and changes nothing',
    async (name) => {
      await campaign();
      const user = await grantedUser(stores, name);
      const before = await snapshot();
      const refused = async (named: string): Promise<void> => {
        const result = await cli([...LACKING[name]!, ...user.at]);
        expect(result, `${named}: ${result.stderr}`).toMatchObject({ exitCode: 2 });
        expect(result.stderr).toContain(named);
        expect(result.stderr).toMatch(/\[(REDIS_AUTH|DATABASE_PERMISSION)\]/);
        expect(result.stderr).toMatch(/`coupon-cli grants .*--user granted_\w+ --for (redis|postgres)`/);
        expect(result.stderr).not.toContain('refused the user name or password');
        expect(await snapshot()).toBe(before);
      };
      try {
        for (const command of user.commands) {
          await user.command('-', command);
          await refused(command.toUpperCase());
          await user.command('+', command);
        }
        for (const [table, verb] of user.tables) {
          await user.table('REVOKE', verb, table);
          await refused(`${verb.toUpperCase()} on ${table}`);
          await user.table('GRANT', verb, table);
        }
      } finally {
        await user.remove();
      }
    },
    240_000,
  );

  it('all that is missing in both stores is named at once, with the line that grants it', async () => {
    await campaign();
    const user = await grantedUser(stores, 'drain');
    for (const command of ['info', 'zadd', 'hset']) await user.command('-', command);
    await user.table('REVOKE', 'INSERT', 'issued_coupons');
    await user.table('REVOKE', 'SELECT', 'coupon_migrations');
    const { exitCode, stderr } = await cli(['drain', '--once', ...user.at]);
    expect(exitCode).toBe(2);
    for (const text of [
      'INFO',
      'ZADD on coupon_waiting_queue:*',
      'HSET on issued_coupon:coupon:*-user:*',
      'INSERT on issued_coupons',
      'SELECT on coupon_migrations',
    ])
      expect(stderr).toContain(text);
    expect(stderr).toMatch(/fix: `coupon-cli grants drain --user granted_\w+` prints what grants it/);
    await user.remove();
  });

  it('a schema that the role may not use is told as that', async () => {
    await stores.sql('REVOKE USAGE ON SCHEMA public FROM PUBLIC');
    const user = await grantedUser(stores, 'export');
    try {
      await admin(...seedArgs);
      expect((await cli(['export', 'sale', ...user.at])).exitCode).toBe(0);
      await stores.sql(`REVOKE USAGE ON SCHEMA public FROM "${new URL(user.databaseUrl).username}"`);
      const { exitCode, stderr } = await cli(['export', 'sale', ...user.at]);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('USAGE on schema public') });
    } finally {
      await stores.sql('GRANT USAGE ON SCHEMA public TO PUBLIC');
      await user.remove();
    }
  });
});

describe('a right that is taken away while a command runs', () => {
  it.each(['zadd', 'hset', 'hincrby', 'evalsha'])(
    '(%s): serve refuses requests whole, and takes them again once it is back',
    async (command) => {
      await campaign();
      const user = await grantedUser(stores, 'serve');
      const result = await during(['serve', '--port', '0', ...user.at], async (url) => {
        expect(await post(`${url}/coupons/sale/requests`, { userId: 'before' })).toBe(202);
        const before = await stores.redis.hgetall('coupon:sale');
        await user.command('-', command);
        expect(await post(`${url}/coupons/sale/requests`, { userId: 'denied' })).toBe(503);
        expect(await stores.redis.hgetall('coupon:sale')).toEqual(before);
        expect(await stores.redis.hget('coupon_admitted:sale', 'denied')).toBeNull();
        await user.command('+', command);
        expect(await post(`${url}/coupons/sale/requests`, { userId: 'denied' })).toBe(202);
      });
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
      expect(result.stderr).toContain(`does not let this user run ${command.toUpperCase()} [REDIS_AUTH]`);
      await user.remove();
      await admin('drain', '--until-empty', '--eager', '--interval', '10ms');
      expect(await admin('audit')).toMatchObject({ exitCode: 0 });
    },
  );

  it.each(['zadd', 'hset', 'zrem', 'hdel'])('(%s): drain ends, names it, and loses nobody', async (command) => {
    await campaign();
    const user = await grantedUser(stores, 'drain');
    let taken = false;
    const result = await cli(['drain', '--interval', '10ms', '--verbose', ...user.at], {
      onStdout: () => {
        if (!taken) void user.command('-', command).then(async () => admin('submit', 'sale', '--users', '3', '--prefix', 'then-'));
        taken = true;
      },
    });
    expect(result, result.stderr).toMatchObject({ exitCode: 2 });
    expect(result.stderr).toContain(`does not let this user run ${command.toUpperCase()}`);
    await user.remove();
    await admin('drain', '--until-empty', '--eager', '--interval', '10ms');
    expect(await admin('audit')).toMatchObject({ exitCode: 0 });
  });
});

it('every command that grants knows is a command of the program', async () => {
  for (const name of Object.keys(COMMAND_USES)) {
    const words = name.split(' ').filter((word) => !word.startsWith('--'));
    expect((await cli([...words, '--help'])).exitCode).toBe(0);
  }
});
