/** Ends a use case before, or after, one of the calls that it makes. */
export type Call = readonly [name: string, when: 'before' | 'after', nth?: number];

/** Each call once before and once after. */
export function beforeAndAfter(calls: readonly (string | readonly [string, number])[]): [string, Call][] {
  return calls.flatMap((call) => {
    const [name, nth] = typeof call === 'string' ? [call, 1] : call;
    return (['before', 'after'] as const).map((when): [string, Call] => [
      `${when} ${name}${nth > 1 ? ` (${nth})` : ''}`,
      [name, when, nth],
    ]);
  });
}

export class Killed extends Error {
  override readonly message = 'killed';
}

/** The same port, which ends the program at this call. */
export function dying<P extends object>(port: P, [name, when, nth = 1]: Call): P {
  const call = (port as Record<string, unknown>)[name];
  if (typeof call !== 'function') return port;
  let count = 0;
  return {
    ...port,
    [name]: async (...args: unknown[]) => {
      count += 1;
      if (count !== nth) return call(...args) as unknown;
      if (when === 'after') await call(...args);
      throw new Killed();
    },
  };
}
