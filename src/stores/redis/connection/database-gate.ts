import { Redis, ReplyError, type RedisOptions } from 'ioredis';
import type { CouponError } from '../../../lib/errors.ts';

/** What sets a connection up and touches no key. */
const SETS_UP = new Set(['auth', 'hello', 'client', 'info', 'select']);
/** What a replica refuses that takes no writes. All scripts are among it. */
const WRITES = new Set(['eval', 'evalsha', 'sadd', 'srem', 'unlink', 'hincrby', 'zadd']);

/**
 * A client that sends nothing else over a link before that link has its database, and no writes to a replica.
 *
 * ioredis would send SELECT itself, drop the refusal, and run every command on database 0. So it is not told the number.
 */
export class DatabaseGate extends Redis {
  readonly #db: number;
  #selectedOn: Redis['stream'] | null = null;
  /** Set when Redis refused the database: why nothing is sent. */
  refusal: (() => CouponError) | null = null;
  /** A replica that was set to take writes loses them at its next synchronisation, so it is treated as one that takes none. */
  isWritableReplica = false;

  constructor(options: Omit<RedisOptions, 'db' | 'replyMapping'>, db: number) {
    super(options);
    this.#db = db;
  }

  /** Selects the database on the present link. Rejects with what Redis said. */
  async selectDatabase(): Promise<void> {
    // Every link begins on database 0, and a user without the right to SELECT may use that.
    if (this.#db === 0) return;
    const link = this.stream;
    // Not select(): ioredis notes its number, and sends it again by itself after a reconnect, where no error is caught.
    await this.call('SELECT', this.#db);
    this.refusal = null;
    this.#selectedOn = link;
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    const name = command.name.toLowerCase();
    const open = this.#db === 0 || this.status !== 'ready' || this.#selectedOn === this.stream;
    if (!open && !SETS_UP.has(name)) {
      command.reject(this.refusal?.() ?? new Error("Stream isn't writeable: the database is not selected yet"));
      return command.promise;
    }
    if (this.isWritableReplica && WRITES.has(name)) {
      command.reject(new ReplyError('READONLY This is a replica that was set to take writes, which it would lose.') as Error);
      return command.promise;
    }
    return super.sendCommand(command, stream);
  }
}
