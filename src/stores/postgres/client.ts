import type { Socket } from 'node:net';
import pg from 'pg';

/** Parts of the driver that its types leave out. */
interface Inside {
  connection: { stream: Socket };
  connectionParameters: { options: string | undefined; replication: string | undefined };
}

/** The driver's client, less three of its habits. */
export class LedgerClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super(config);
    // What a config leaves open, the driver takes from the environment: also where that must play no part.
    const { connectionParameters } = this as unknown as Inside;
    connectionParameters.options = config.options;
    connectionParameters.replication = undefined;
    // A session that breaks reports that as an event, too, also between two owners: when it is ready and gone within one packet. Without a
    // listener the event would end the process; the query of its user fails anyway.
    this.on('error', () => undefined);
  }

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

/** Ends the connection at once, without a word to the server. */
export function cutOff(client: pg.ClientBase): void {
  (client as unknown as Inside).connection.stream.destroy();
}
