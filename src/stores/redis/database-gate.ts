import { Redis, type RedisOptions } from 'ioredis';
import type { CouponError } from '../../lib/errors.ts';

/** What sets a connection up and touches no key. */
const SETS_UP = new Set(['auth', 'hello', 'client', 'info', 'select']);

/**
 * A client that sends nothing else over a link before that link has its database.
 *
 * ioredis would send SELECT itself, drop the refusal, and run every command on database 0. So it is not told the number.
 */
export class DatabaseGate extends Redis {
  readonly #db: number;
  #selectedOn: Redis['stream'] | null = null;
  /** Set when Redis refused the database: why nothing is sent. */
  refusal: (() => CouponError) | null = null;

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
    const open = this.#db === 0 || this.status !== 'ready' || this.#selectedOn === this.stream;
    if (open || SETS_UP.has(command.name.toLowerCase())) return super.sendCommand(command, stream);
    command.reject(this.refusal?.() ?? new Error("Stream isn't writeable: the database is not selected yet"));
    return command.promise;
  }
}
