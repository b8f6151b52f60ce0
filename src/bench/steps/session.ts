import type { Prepared } from '../plan/user-plan.ts';
import { UserDirectory } from '../plan/user-plan.ts';
import type { TlsTrust } from '../ports.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { couponValue, PREPARED_AT_ONCE, preparedColumns, prepareUsers } from './prepare.ts';
import { readPrepared, writePrepared } from './prepared-file.ts';
import { StepClient, type RunAction, type Values } from './step-client.ts';

/** What surrounds the loads on one service: set-up, the state before each round, prepared users, and the clearing away. */
export interface Session {
  /** Makes the state that a round begins with. @throws CouponError `STEP_FAILED` and what {@link StepClient} throws */
  beforeRound(): Promise<Round>;
  /** Sends the teardown; nothing may follow. */
  close(): Promise<void>;
}

/** What the requests of a round use beside the scenario. */
export interface Round {
  shared: Values;
  prepared: Prepared | null;
}

export interface SessionOptions {
  scenario: Scenario;
  target: string;
  tls?: TlsTrust | undefined;
  actions?: RunAction | undefined;
  /** File that keeps what users were prepared with. */
  preparedFile?: string | undefined;
  signal: AbortSignal;
  onProgress?: (done: number, of: number) => void;
}

export async function openSession({ scenario, target, tls, actions, preparedFile, signal, onProgress }: SessionOptions): Promise<Session> {
  const { setup, before, prepare, teardown } = scenario;
  const client = new StepClient(target, { tls, actions, connections: PREPARED_AT_ONCE });
  try {
    const afterSetup = await client.run(setup, couponValue(scenario));
    let prepared: Prepared | null = null;
    return {
      async beforeRound() {
        signal.throwIfAborted();
        const shared = await client.run(before, afterSetup);
        if (prepare.length > 0) {
          const users = new UserDirectory(scenario.users);
          const about = { target, columns: preparedColumns(scenario) };
          const known = preparedFile === undefined ? null : await readPrepared(preparedFile, about);
          prepared ??= await prepareUsers({
            scenario,
            users,
            client,
            shared,
            ...(known ? { known } : {}),
            signal,
            ...(onProgress ? { onProgress } : {}),
          });
          if (preparedFile !== undefined && known === null) await writePrepared(preparedFile, about, prepared, users);
        }
        return { shared, prepared };
      },
      async close() {
        try {
          await client.run(teardown, afterSetup);
        } finally {
          client.close();
        }
      },
    };
  } catch (error) {
    client.close();
    throw error;
  }
}
