import { usageError } from '../../lib/errors.ts';
import { COOKIE_COLUMN } from '../load/cookie-jar.ts';
import type { Prepared, UserDirectory } from '../plan/user-plan.ts';
import { fitsType, typedVariables } from '../scenario/request.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { capturedBy } from '../scenario/steps.ts';
import type { StepClient, Values } from './step-client.ts';

/** Users that are prepared at the same time. */
export const PREPARED_AT_ONCE = 64;

export interface PrepareOptions {
  scenario: Pick<Scenario, 'prepare' | 'request' | 'followUps' | 'coupons'>;
  users: UserDirectory;
  client: StepClient;
  /** What the set-up captured. */
  shared: Values;
  /** Values of an earlier run, by user; they are not asked again. */
  known?: ReadonlyMap<string, readonly string[]>;
  signal: AbortSignal;
  onProgress?: (done: number, of: number) => void;
}

/** Columns that preparing fills: what is captured, and the cookies. */
export function preparedColumns({ prepare }: Pick<Scenario, 'prepare'>): string[] {
  return [...new Set(capturedBy(prepare)), COOKIE_COLUMN];
}

/**
 * The steps of every planned user, so many users at a time.
 *
 * @throws CouponError of the first step that fails; the signal's reason when it is aborted
 */
export async function prepareUsers(options: PrepareOptions): Promise<Prepared> {
  const { scenario, users, client, shared, known, signal, onProgress } = options;
  const columns = preparedColumns(scenario);
  const rows: (readonly string[])[] = Array.from({ length: users.planned }, () => []);
  const typed = typedVariables([scenario.request, ...(scenario.followUps.poll ? [scenario.followUps.poll.request] : [])]);
  const { columns: tableColumns } = users;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let next = 0;
  let done = 0;
  const one = async (user: number): Promise<void> => {
    const userId = users.id(user);
    const values = await client.run(scenario.prepare, { ...valuesOf(scenario, users, tableColumns, user), ...shared });
    for (const { name, type } of typed) {
      const value = values[name];
      if (capturedBy(scenario.prepare).includes(name) && value !== undefined && !fitsType(value, type))
        throw usageError(
          'CAPTURE_WRONG_TYPE',
          `{{${name}}} of user ${userId} is "${value}", and the request sends a ${type}; no load was sent`,
          `Write {{${name}}} without ":${type}", or capture another field.`,
        );
    }
    rows[user] = columns.map((column) => values[column] ?? '');
  };
  const worker = async (): Promise<void> => {
    while (next < users.planned) {
      both.throwIfAborted();
      const user = next;
      next += 1;
      const earlier = known?.get(users.id(user));
      if (earlier) rows[user] = earlier;
      else await one(user);
      done += 1;
      if (done % 100 === 0 || done === users.planned) onProgress?.(done, users.planned);
    }
  };
  try {
    await Promise.all(
      Array.from({ length: Math.min(PREPARED_AT_ONCE, users.planned) }, () =>
        worker().catch((error: unknown) => {
          // The others end with the request that they are at.
          stop.abort(error);
          throw error;
        }),
      ),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  return { columns, rows };
}

/** What a step of one user may use. */
export function valuesOf({ coupons }: Pick<Scenario, 'coupons'>, users: UserDirectory, columns: readonly string[], user: number): Values {
  const values: Values = couponValue({ coupons });
  columns.forEach((name, column) => (values[name] = users.value(user, column)));
  return { ...values, userId: users.id(user) };
}

/** Which coupon a step is about, where there is only one. */
export function couponValue({ coupons }: Pick<Scenario, 'coupons'>): Values {
  return coupons.length === 1 ? { couponId: coupons[0]!.id } : {};
}
