import type { CouponStore } from '../stores/redis/coupons.ts';
import type { Ledger } from '../stores/postgres/ledger.ts';
import type { Admission } from '../campaign/ports/admission.ts';
import type { Refusals } from '../admission/ports.ts';
import type { AuditReader } from '../audit/ports.ts';
import type { UseHashes } from '../campaign/ports/use.ts';
import type { Verification } from '../campaign/ports/verification.ts';
import type { ClaimQueue } from '../drain/ports.ts';
import type { DeadUsers } from '../operate/ports.ts';
import type { LedgerHealth, RedisHealth } from '../campaign/ports/health.ts';
import { usageError } from '../lib/errors.ts';
import type { Database, DatabaseOptions } from '../stores/postgres/connection/database.ts';
import type { NatMap, RedisConnection } from '../stores/redis/connection/connection.ts';
import { parseNatMap } from '../stores/redis/connection/nat-map.ts';
import { KEY_STYLES, parseKeyPrefix, type KeyStyle } from '../stores/redis/keys/keys.ts';
import { Closers } from '../lib/closers.ts';
import { learnVariables, type MaskedEnv } from './masked-env.ts';
import { EXIT } from './exit-codes.ts';
import { Output, type OutputFlags } from './output/output.ts';
import { formatInstant, parseTimeZone } from '../campaign/time.ts';
import { Settings } from './settings.ts';

export interface RedisStores {
  connection: RedisConnection;
  /** How keys are spelled there. */
  keyStyle: KeyStyle;
  admission: Admission;
  refusals: Refusals;
  claims: ClaimQueue;
  coupons: CouponStore & Verification & UseHashes;
  dead: DeadUsers;
  reader: AuditReader;
  health: RedisHealth;
}

/** Options that every command has, as commander gives them. */
export interface GlobalFlags extends OutputFlags {
  redisUrl?: string | undefined;
  databaseUrl?: string | undefined;
  keyStyle?: string | undefined;
  config?: string | undefined;
  debug?: boolean | undefined;
}

/**
 * What one run of a command works with. Stores are opened on first use and closed at the end, in reverse order.
 */
export class Context implements AsyncDisposable {
  readonly env: MaskedEnv;
  readonly settings: Settings;
  readonly out: Output;
  readonly #closers = new Closers();

  constructor(env: MaskedEnv, flags: GlobalFlags & Record<string, unknown>) {
    this.env = env;
    this.out = new Output(env, flags);
    this.settings = new Settings(env, flags, (remark) => this.out.note(remark));
    learnVariables(env.secrets, this.settings.fileVars);
    const { zone } = this;
    if (zone !== undefined) this.out.tellTimes((instant) => formatInstant(new Date(instant), zone));
  }

  /**
   * The zone that was chosen; undefined: none was.
   *
   * @throws CouponError `BAD_TIME_ZONE`
   */
  get zone(): string | undefined {
    const { value } = this.settings.get('timeZone');
    return value === '' ? undefined : parseTimeZone(value, this.settings.label('timeZone'));
  }

  /** @throws CouponError `BAD_KEY_STYLE` for one that there is not, or that this Redis cannot have */
  keyStyleOf({ isCluster }: Pick<RedisConnection, 'isCluster'>): KeyStyle {
    const { value, source } = this.settings.get('keyStyle');
    if (isCluster && source === 'default') return 'hash-tag';
    const style = KEY_STYLES.find((candidate) => candidate === value);
    if (!style) throw usageError('BAD_KEY_STYLE', `"${value}" is not a key style`, `Use ${KEY_STYLES.join(' or ')}.`);
    if (isCluster && style === 'plain')
      throw usageError(
        'BAD_KEY_STYLE',
        'key style plain cannot be used on a Redis Cluster: the keys of one coupon would lie on several servers, and no step could change them together',
        'Leave it out, or use hash-tag: the id in braces keeps the keys of a coupon together.',
      );
    return style;
  }

  /** Who runs this, for the log of changes. */
  get operator(): string {
    return `${this.env.userName}@${this.env.hostname}`;
  }

  /** Before every key of ours. @throws CouponError `BAD_KEY_PREFIX` */
  get keyPrefix(): string {
    return parseKeyPrefix(this.settings.get('keyPrefix').value, this.settings.label('keyPrefix'));
  }

  /** @throws CouponError `BAD_NAT_MAP` */
  get natMap(): NatMap {
    return parseNatMap(this.settings.get('redisNatMap').value, this.settings.label('redisNatMap'));
  }

  /** @param reconnect for processes that outlive a loss of the connection */
  async redis(reconnect = false): Promise<RedisStores> {
    return this.redisAt(this.settings.get('redisUrl').value, reconnect);
  }

  async redisAt(url: string, reconnect = false): Promise<RedisStores> {
    const [
      { openRedis },
      { redisAdmission },
      { redisRefusals },
      { redisClaims },
      { redisCoupons },
      { redisDead },
      { redisReader },
      { redisHealth },
    ] = await Promise.all([
      import('../stores/redis/connection/open.ts'),
      import('../stores/redis/admission.ts'),
      import('../stores/redis/refusals.ts'),
      import('../stores/redis/claims.ts'),
      import('../stores/redis/coupons.ts'),
      import('../stores/redis/dead.ts'),
      import('../stores/redis/reader.ts'),
      import('../stores/redis/connection/health.ts'),
    ]);
    // A mistake comes to light before any connection is made.
    this.keyStyleOf({ isCluster: false });
    this.env.secrets.learnUrl(url);
    const connection = await openRedis({ url, reconnect, keyPrefix: this.keyPrefix, natMap: this.natMap });
    this.onClose(() => connection.close());
    const style = this.keyStyleOf(connection);
    return {
      connection,
      keyStyle: style,
      admission: redisAdmission(connection, style),
      refusals: redisRefusals(connection, style),
      claims: redisClaims(connection, style),
      coupons: redisCoupons(connection, style),
      dead: redisDead(connection, style),
      reader: redisReader(connection, style),
      health: redisHealth(connection),
    };
  }

  /**
   * The database without a look at its schema: for `migrate`.
   *
   * @param url of a database of our own; otherwise that of the settings, whose variables then have a say
   */
  async database(url?: string, options: DatabaseOptions = {}): Promise<Database> {
    const { Database } = await import('../stores/postgres/connection/database.ts');
    const { value } = this.settings.get('databaseUrl');
    const database =
      url === undefined
        ? new Database(value, { ...options, variables: { ...this.settings.variables, COUPON_SCHEMA: this.settings.get('schema').value } })
        : new Database(url, options);
    this.env.secrets.learn(database.target.password ?? undefined);
    this.onClose(() => database.close());
    return database;
  }

  /** As {@link database}, for those who must not write. */
  async readOnlyDatabase(): Promise<Database> {
    return this.database(undefined, { readOnly: true });
  }

  /** @throws CouponError `SCHEMA_MISSING`, `SCHEMA_TOO_NEW`, and whatever keeps it from connecting */
  async ledger(url?: string, options?: DatabaseOptions): Promise<Ledger> {
    return this.ledgerOf(await this.database(url, options));
  }

  /** As {@link ledger}, on a database that is open. */
  async ledgerOf(database: Database): Promise<Ledger> {
    const [{ checkSchema }, { postgresLedger }] = await Promise.all([
      import('../stores/postgres/migrate.ts'),
      import('../stores/postgres/ledger.ts'),
    ]);
    await checkSchema(database);
    return postgresLedger(database);
  }

  /** @param work what this process does */
  async ledgerHealth(database: Database, work: 'issue' | 'use'): Promise<LedgerHealth> {
    const { ledgerHealth } = await import('../stores/postgres/health.ts');
    return ledgerHealth(database, work);
  }

  /** A connection that nothing is written over: less permission is enough. */
  async readOnlyRedis(keyPrefix = this.keyPrefix): Promise<RedisConnection> {
    const { openRedis } = await import('../stores/redis/connection/open.ts');
    const connection = await openRedis({
      url: this.settings.get('redisUrl').value,
      reconnect: true,
      readOnly: true,
      keyPrefix,
      natMap: this.natMap,
    });
    this.onClose(() => connection.close());
    return connection;
  }

  onClose(close: () => unknown): void {
    this.#closers.add(close);
  }

  /**
   * A signal that is aborted by the first SIGINT or SIGTERM; the second ends the process at once. `reason` of the abort is
   * the signal's name.
   *
   * @param says whether a line on stderr says so
   */
  stopSignal(says = true): AbortSignal {
    const stop = new AbortController();
    const unsubscribe = this.env.onSignal((signal) => {
      if (stop.signal.aborted) {
        this.env.exitNow(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated);
        return;
      }
      if (says) this.out.note(`${signal}: finishing; once more ends at once`);
      stop.abort(signal);
    });
    this.onClose(unsubscribe);
    return stop.signal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closers[Symbol.asyncDispose]();
  }
}
