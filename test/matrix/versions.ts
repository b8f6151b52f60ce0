/** Where a version comes from: a release of Debian, npm, or nowhere. */
export type Source =
  | { kind: 'debian'; release: string; server: string }
  | { kind: 'npm-postgres'; major: number }
  | { kind: 'npm-node'; range: string }
  | { kind: 'none'; why: string };

export interface Version {
  id: string;
  label: string;
  /** Matches what a server of this version calls itself, see {@link Programs}. */
  is: RegExp;
  source: Source;
}

/** What one run uses, for example `Redis 7.0.15`, `PostgreSQL 15.18`, `Node 20.20.2`. */
export interface Programs {
  redis: string;
  postgres: string;
  node: string;
}

const NOWHERE = 'neither npm nor a release of Debian that is still served has it';

const POSTGRES = [13, 14, 15, 16, 17, 18].map((major): Version => ({
  id: `postgres-${major}`,
  label: `PostgreSQL ${major}`,
  is: new RegExp(`^PostgreSQL ${major}\\.`),
  source: { kind: 'npm-postgres', major },
}));

const NODE = ['20', '22', '24'].map((major): Version => ({
  id: `node-${major}`,
  label: `Node ${major}`,
  is: new RegExp(`^Node ${major}\\.`),
  source: { kind: 'npm-node', range: major },
}));

/** One at a time: a run has one of these, and of the rest what this machine has. */
export const VERSIONS: readonly Version[] = [
  {
    id: 'redis-6.2',
    label: 'Redis 6.2',
    is: /^Redis 6\.2\./,
    source: { kind: 'none', why: 'it is refused (`REDIS_TOO_OLD`): script flags came with Redis 7.0' },
  },
  { id: 'redis-7.0', label: 'Redis 7.0', is: /^Redis 7\.0\./, source: { kind: 'debian', release: 'bookworm', server: 'redis-server' } },
  { id: 'redis-7.2', label: 'Redis 7.2, 7.4', is: /^Redis 7\.[24]\./, source: { kind: 'none', why: NOWHERE } },
  { id: 'redis-8', label: 'Redis 8', is: /^Redis 8\./, source: { kind: 'debian', release: 'trixie', server: 'redis-server' } },
  { id: 'valkey-8', label: 'Valkey 8', is: /^Valkey 8\./, source: { kind: 'debian', release: 'trixie', server: 'valkey-server' } },
  ...POSTGRES,
  ...NODE,
];
