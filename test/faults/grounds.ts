/** How the stores of each ground are started, and where the program and the suite find them. */
import type { Closers } from '../../src/lib/closers.ts';
import { pgBouncer } from '../support/pgbouncer.ts';
import { sentinels } from '../support/sentinels.ts';
import { openProxy } from '../support/tcp-proxy.ts';
import type { Addresses, Ground, Grounds } from './fault.ts';
import { startPostgres } from './servers/postgres.ts';
import { startPostgresPair } from './servers/postgres-pair.ts';
import { startRedis } from './servers/redis.ts';

export interface OpenGround<G extends Ground> {
  stores: Grounds[G];
  /** Where `serve` and every `drain` find the stores. */
  program: Addresses;
  /** Where the suite does. */
  suite: Addresses;
  /** Of the PostgreSQL that takes writes now, in the form of a plain driver. */
  writable: () => string;
  /** What `serve` and every `drain` are told. */
  flags: string[];
}

type Opener<G extends Ground> = (closers: Closers) => Promise<OpenGround<G>>;

/** Of the small disks, where they can be had: room for the files of a seed, and soon full. */
const REDIS_DISK_BYTES = 192 << 20;
const POSTGRES_DISK_BYTES = 768 << 20;
/** Fewer than the processes of the program would like to have. */
const POOL_SIZE = 3;
const POOL_WAIT_S = 2;

const added = async <T extends AsyncDisposable>(closers: Closers, starting: Promise<T>): Promise<T> => {
  const started = await starting;
  closers.add(() => started[Symbol.asyncDispose]());
  return started;
};

/** The caller closes what was opened, also when opening failed. */
export const OPENERS: { readonly [G in Ground]: Opener<G> } = {
  async plain(closers) {
    const redis = await added(closers, startRedis({ diskBytes: REDIS_DISK_BYTES }));
    const postgres = await added(closers, startPostgres({ diskBytes: POSTGRES_DISK_BYTES }));
    const links = { redis: await added(closers, openProxy(redis.url)), postgres: await added(closers, openProxy(postgres.url)) };
    const program = { redis: links.redis.through(redis.url), postgres: links.postgres.through(postgres.url) };
    const suite = { redis: redis.url, postgres: postgres.url };
    return { stores: { redis, postgres, links }, program, suite, writable: () => postgres.url, flags: [] };
  },

  async pooler(closers) {
    const redis = await added(closers, startRedis());
    const postgres = await added(closers, startPostgres());
    const pooler = await added(closers, pgBouncer(postgres.url, { poolSize: POOL_SIZE, waits: POOL_WAIT_S }));
    const suite = { redis: redis.url, postgres: postgres.url };
    return { stores: { pooler }, program: { ...suite, postgres: pooler.url }, suite, writable: () => postgres.url, flags: [] };
  },

  sentinel: async (closers) => ({ ...(await openWatched(closers)), flags: ['--accepted-means', 'replica'] }),
  'sentinel-disk': async (closers) => ({ ...(await openWatched(closers)), flags: ['--accepted-means', 'disk'] }),

  async standby(closers) {
    const redis = await added(closers, startRedis());
    const pair = await added(closers, startPostgresPair());
    const addresses = { redis: redis.url, postgres: pair.url };
    return { stores: { pair }, program: addresses, suite: addresses, writable: pair.writable, flags: [] };
  },
};

async function openWatched(closers: Closers): Promise<Omit<OpenGround<'sentinel'>, 'flags'>> {
  const watched = await added(closers, sentinels());
  const postgres = await added(closers, startPostgres());
  const addresses = { redis: watched.url, postgres: postgres.url };
  return { stores: { watched }, program: addresses, suite: addresses, writable: () => postgres.url };
}
