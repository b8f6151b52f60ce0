import type { UserDirectory } from '../plan/user-plan.ts';
import { setCookiesOf, withCookies } from './capture.ts';

/** Column of the cookies that a user got while it was prepared; no variable can have this name. */
export const COOKIE_COLUMN = 'cookie:';

/** The cookies of each user: what preparing left, and what replies of the load set since. */
export class CookieJar {
  readonly #users: UserDirectory;
  readonly #column: number;
  readonly #changed = new Map<number, string>();

  constructor(users: UserDirectory) {
    this.#users = users;
    this.#column = users.columns.indexOf(COOKIE_COLUMN);
  }

  /** As the header Cookie has them; empty for none. */
  of(user: number): string {
    return this.#changed.get(user) ?? (this.#column < 0 ? '' : this.#users.value(user, this.#column));
  }

  /** @param headers of a reply, names and values in turn */
  keep(user: number, headers: readonly string[]): void {
    const set = setCookiesOf(headers);
    if (set.length > 0) this.#changed.set(user, withCookies(this.of(user), set));
  }
}
