/** What libpq calls `target_session_attrs`. */
export const ROLES = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type Role = (typeof ROLES)[number];

export function fitsRole(role: Role, { standby, readOnly }: { standby: boolean; readOnly: boolean }): boolean {
  switch (role) {
    case 'read-write':
      return !readOnly;
    case 'read-only':
      return readOnly;
    case 'primary':
      return !standby;
    case 'standby':
      return standby;
    default:
      return true;
  }
}

/** The server answers, and is not the one that was asked for; the next host may be. */
export function notSuch(role: Role, { host, port }: { host: string; port: number }): Error {
  return Object.assign(new Error(`the server at ${host}:${port} is not "${role}"`), { code: 'PG_ROLE' });
}
