import { ROLES } from '../roles.ts';

/**
 * Every word that a connection to PostgreSQL can be described with: the parameters of libpq (PostgreSQL manual, "Parameter Key Words" and
 * "Environment Variables") and those that other drivers take. Each is honoured or refused by its name; a dropped one would mean another
 * server, another schema, or a password in clear text.
 */
export interface Parameter {
  /** The environment variable of libpq that says the same. */
  variable?: string;
  /** The values that are honoured; without it, all that the reader of the parameter takes, or none if it is refused. */
  only?: readonly string[];
  /** It is refused (other values are, with `only`): what to do instead. */
  instead?: string;
  /** Not libpq's: it is taken from a URL alone. */
  foreign?: true;
}

const LATER = 'Leave it out: it is not supported yet.';
const ONE_HOST = 'Leave it out: write target_session_attrs=read-write, and the hosts in the order in which they are tried.';
const CERTIFICATES = 'Leave it out: it is not supported. sslmode, sslrootcert, sslcert and sslkey are.';
const LOGIN = 'Leave it out: logins by password and by client certificate are supported.';
const GSS = 'Leave it out: GSSAPI is not supported.';
const TIMEOUTS = 'Leave it out: coupon-cli sets time limits itself.';
const POOL = 'Leave it out: coupon-cli keeps a pool of its own.';
const POOLER = 'Leave it out: a pooler is recognised by itself, or write pgbouncer=true.';
const DRIVER = 'Leave it out: it is a setting of another driver.';
const TLS = 'Write sslmode instead: disable, allow, prefer, require, verify-ca or verify-full.';

/** In the order in which they are shown. */
export const PG_PARAMETERS: Readonly<Record<string, Parameter>> = {
  // Honoured.
  host: { variable: 'PGHOST' },
  port: { variable: 'PGPORT' },
  user: { variable: 'PGUSER' },
  password: { variable: 'PGPASSWORD' },
  dbname: { variable: 'PGDATABASE' },
  sslmode: { variable: 'PGSSLMODE', only: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'], instead: TLS },
  ssl: { foreign: true, only: ['true', '1', 'false', '0'], instead: TLS },
  sslrootcert: { variable: 'PGSSLROOTCERT' },
  sslcert: { variable: 'PGSSLCERT' },
  sslkey: { variable: 'PGSSLKEY' },
  sslpassword: {},
  sslnegotiation: { variable: 'PGSSLNEGOTIATION', only: ['postgres', 'direct'], instead: 'Write postgres or direct.' },
  ssl_min_protocol_version: { variable: 'PGSSLMINPROTOCOLVERSION', only: ['TLSv1.2', 'TLSv1.3'], instead: 'Write TLSv1.2 or TLSv1.3.' },
  ssl_max_protocol_version: { variable: 'PGSSLMAXPROTOCOLVERSION', only: ['TLSv1.2', 'TLSv1.3'], instead: 'Write TLSv1.2 or TLSv1.3.' },
  passfile: { variable: 'PGPASSFILE' },
  connect_timeout: { variable: 'PGCONNECT_TIMEOUT' },
  application_name: { variable: 'PGAPPNAME' },
  fallback_application_name: {},
  keepalives: { only: ['0', '1'], instead: 'Write 0 or 1.' },
  keepalives_idle: {},
  // The one value that says what is done anyway.
  client_encoding: { variable: 'PGCLIENTENCODING', only: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'], instead: 'Leave it out: it is UTF8.' },
  sslcompression: { variable: 'PGSSLCOMPRESSION', only: ['0'], instead: CERTIFICATES },
  sslsni: { variable: 'PGSSLSNI', only: ['1'], instead: CERTIFICATES },
  gssencmode: { variable: 'PGGSSENCMODE', only: ['disable'], instead: GSS },
  replication: { only: ['false', 'off', 'no', '0'], instead: 'Leave it out.' },
  target_session_attrs: { variable: 'PGTARGETSESSIONATTRS', only: ROLES, instead: `Write one of ${ROLES.join(', ')}.` },
  options: {},
  schema: { foreign: true },
  currentSchema: { foreign: true },
  current_schema: { foreign: true },
  search_path: { foreign: true },
  pgbouncer: { foreign: true, only: ['true', 'false'], instead: 'Write true or false.' },
  channel_binding: { variable: 'PGCHANNELBINDING', only: ['disable', 'prefer', 'require'], instead: 'Write disable, prefer or require.' },
  load_balance_hosts: { variable: 'PGLOADBALANCEHOSTS', only: ['disable'], instead: ONE_HOST },
  uselibpqcompat: { foreign: true, only: ['true'], instead: 'Leave it out: sslmode is read with the meanings of libpq.' },
  // Refused.
  hostaddr: { variable: 'PGHOSTADDR', instead: 'Write the address as the host.' },
  service: { variable: 'PGSERVICE', instead: 'Write host, database and user of the service into DATABASE_URL.' },
  servicefile: { instead: 'Write host, database and user of the service into DATABASE_URL.' },
  require_auth: { variable: 'PGREQUIREAUTH', instead: LOGIN },
  tcp_user_timeout: { instead: TIMEOUTS },
  keepalives_interval: { instead: LATER },
  keepalives_count: { instead: LATER },
  requiressl: { variable: 'PGREQUIRESSL', instead: TLS },
  sslkeylogfile: { instead: CERTIFICATES },
  sslcertmode: { variable: 'PGSSLCERTMODE', instead: CERTIFICATES },
  sslcrl: { variable: 'PGSSLCRL', instead: CERTIFICATES },
  sslcrldir: { variable: 'PGSSLCRLDIR', instead: CERTIFICATES },
  requirepeer: { variable: 'PGREQUIREPEER', instead: LOGIN },
  min_protocol_version: { variable: 'PGMINPROTOCOLVERSION', instead: LATER },
  max_protocol_version: { variable: 'PGMAXPROTOCOLVERSION', instead: LATER },
  krbsrvname: { variable: 'PGKRBSRVNAME', instead: GSS },
  gsslib: { variable: 'PGGSSLIB', instead: GSS },
  gssdelegation: { variable: 'PGGSSDELEGATION', instead: GSS },
  scram_client_key: { instead: LOGIN },
  scram_server_key: { instead: LOGIN },
  oauth_issuer: { instead: LOGIN },
  oauth_client_id: { instead: LOGIN },
  oauth_client_secret: { instead: LOGIN },
  oauth_scope: { instead: LOGIN },
  // Of other drivers: Prisma, JDBC, node-postgres, SQLAlchemy, Go.
  ...foreign(POOLER, 'prepared_statements', 'prepareThreshold', 'statement_cache_size'),
  ...foreign(POOL, 'connection_limit', 'pool_timeout', 'max', 'min', 'pool_size', 'idleTimeoutMillis', 'max_lifetime'),
  ...foreign(TIMEOUTS, 'statement_timeout', 'lock_timeout', 'query_timeout', 'idle_in_transaction_session_timeout', 'socket_timeout'),
  ...foreign(TIMEOUTS, 'connectTimeout', 'connectionTimeoutMillis', 'loginTimeout', 'socketTimeout', 'cancelSignalTimeout'),
  ...foreign(TLS, 'sslaccept', 'sslidentity', 'sslfactory', 'sslhostnameverifier', 'ssl-mode', 'tls'),
  ...foreign(ONE_HOST, 'targetServerType', 'hostRecheckSeconds', 'loadBalanceHosts'),
  ...foreign('Leave it out, or write application_name.', 'ApplicationName'),
  ...foreign('Leave it out, or write keepalives=1.', 'tcpKeepAlive'),
  ...foreign(
    DRIVER,
    'single_use_connections',
    'preferQueryMode',
    'reWriteBatchedInserts',
    'stringtype',
    'binaryTransfer',
    'defaultRowFetchSize',
  ),
  ...foreign('Leave it out: it is UTF8.', 'encoding', 'characterEncoding', 'useUnicode'),
  ...foreign('Leave it out: the database is the path of the URL.', 'db', 'database'),
};

function foreign(instead: string, ...names: string[]): Record<string, Parameter> {
  return Object.fromEntries(names.map((name) => [name, { foreign: true, instead }]));
}

/** Variables of libpq that no parameter stands for. */
export const PG_VARIABLES: Readonly<Record<string, 'honoured' | 'without effect'>> = {
  PGOPTIONS: 'honoured',
  PGDATESTYLE: 'honoured',
  PGTZ: 'honoured',
  PGGEQO: 'honoured',
  // They say where files for PGSERVICE, which is refused, and for messages of libpq are.
  PGSERVICEFILE: 'without effect',
  PGSYSCONFDIR: 'without effect',
  PGLOCALEDIR: 'without effect',
};
