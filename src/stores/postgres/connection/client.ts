import type { Socket } from 'node:net';
import pg from 'pg';

/** Parts of the driver that its types leave out. */
interface Inside {
  connection: { stream: Socket };
  connectionParameters: { options: string | undefined; replication: string | undefined };
}

interface LedgerConfig extends pg.ClientConfig {
  /** Behind a pooler the server that prepared a statement is not the one that is asked next. */
  forgetsStatements?: boolean;
  /** A login that does not bind the channel is refused (RFC 5929). */
  channelBindingRequired?: boolean;
}

/** The driver's client, less three of its habits. */
export class LedgerClient extends pg.Client {
  constructor(config: LedgerConfig = {}) {
    super(config);
    if (config.forgetsStatements) {
      const send = this.query.bind(this) as (...args: unknown[]) => unknown;
      this.query = ((query: unknown, ...rest: unknown[]) => send(withoutName(query), ...rest)) as pg.Client['query'];
    }
    if (config.channelBindingRequired) this.#requireBinding();
    // What a config leaves open, the driver takes from the environment: also where that must play no part.
    const { connectionParameters } = this as unknown as Inside;
    connectionParameters.options = config.options;
    connectionParameters.replication = undefined;
    // A session that breaks reports that as an event, too, also between two owners: when it is ready and gone within one packet. Without a
    // listener the event would end the process; the query of its user fails anyway.
    this.on('error', () => undefined);
  }

  /** The process of the server, as it introduced itself. */
  get processId(): number {
    return (this as unknown as { processID: number }).processID;
  }

  /** The server offers how to log in; what it does not offer cannot be had. */
  #requireBinding(): void {
    const { connection } = this as unknown as { connection: NodeJS.EventEmitter };
    const refuse = (): void => {
      connection.emit(
        'error',
        Object.assign(new Error('channel binding is required, and the server does not offer it'), { code: 'PG_CHANNEL_BINDING' }),
      );
    };
    connection.prependListener('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
      if (!mechanisms.includes('SCRAM-SHA-256-PLUS')) refuse();
    });
    for (const weaker of ['authenticationCleartextPassword', 'authenticationMD5Password', 'authenticationOk'])
      connection.prependListener(weaker, () => {
        if (weaker !== 'authenticationOk' || !this.#bound) refuse();
      });
    connection.prependListener('authenticationSASLFinal', () => (this.#bound = true));
  }

  #bound = false;

  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error | null, client?: pg.Client) => void): void;
  override connect(callback?: (error: Error | null, client?: pg.Client) => void): Promise<pg.Client> | void {
    if (!callback) {
      return new Promise((resolve, reject) => {
        this.connect((error) => (error ? reject(error) : resolve(this)));
      });
    }
    super.connect((error: Error | null) => {
      // After an error of its own, such as a missing password, it leaves the socket open until the server gives up, a minute later.
      if (error) cutOff(this);
      callback(error, this);
    });
  }
}

function withoutName(query: unknown): unknown {
  return typeof query === 'object' && query !== null && 'name' in query && !('submit' in query) ? { ...query, name: undefined } : query;
}

/** Ends the connection at once, without a word to the server. */
export function cutOff(client: pg.ClientBase): void {
  (client as unknown as Inside).connection.stream.destroy();
}
