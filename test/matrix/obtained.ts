/** A folder to put first on the PATH, or why there is none. What could not be had is no failure; what could have been had is one. */
export type Obtained = { kind: 'folder'; folder: string } | { kind: 'unavailable'; why: string };

export const folder = (path: string): Obtained => ({ kind: 'folder', folder: path });
export const unavailable = (why: string): Obtained => ({ kind: 'unavailable', why });
