import { readForeignTime } from './foreign-time.ts';

/** State of an open coupon whose window cannot be read: it takes no requests. */
export const UNREADABLE_TIME = 'unreadable_time';

export type WindowField = 'opens_at' | 'closes_at';

/** Those of the two that Redis holds as a text that is no time, because another program wrote it. `admit.lua` takes no requests then. */
export function unreadableWindow({ opensAt, closesAt }: { opensAt: string; closesAt: string }): WindowField[] {
  const times = { opens_at: opensAt, closes_at: closesAt } as const;
  return (['opens_at', 'closes_at'] as const).filter((field) => readForeignTime(times[field]).kind === 'unreadable');
}

/** The state as every command shows it; a coupon that is not open takes no requests for that reason alone. */
export function stateByWindow(state: string, unreadable: readonly WindowField[]): string {
  return state === 'open' && unreadable.length > 0 ? UNREADABLE_TIME : state;
}

/** `opens_at and closes_at in Redis are no times`. */
export function unreadableText(unreadable: readonly WindowField[]): string {
  return `${unreadable.join(' and ')} in Redis ${unreadable.length === 1 ? 'is no time' : 'are no times'}`;
}
