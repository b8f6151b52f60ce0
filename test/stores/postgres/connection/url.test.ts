import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { CouponError } from '../../../../src/lib/errors.ts';
import { PG_PARAMETERS, PG_VARIABLES } from '../../../../src/stores/postgres/connection/parameters.ts';
import { passwordOf } from '../../../../src/stores/postgres/connection/pgpass.ts';
import { parseDatabaseUrl, type PgTarget, type Variables } from '../../../../src/stores/postgres/connection/url.ts';

const dir = mkdtempSync(join(tmpdir(), 'coupon-'));
const PEM = join(dir, 'some.pem');
writeFileSync(PEM, 'a certificate');

function refusal(url: string, variables: Variables = {}): CouponError {
  try {
    parseDatabaseUrl(url, variables);
  } catch (error) {
    if (error instanceof CouponError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

/** Parameter key words of PostgreSQL 18 (and `servicefile` of 19). */
const LIBPQ_PARAMETERS =
  'host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding options application_name ' +
  'fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout replication gssencmode sslmode ' +
  'requiressl sslnegotiation sslcompression sslcert sslkey sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ' +
  'ssl_min_protocol_version ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib gssdelegation scram_client_key ' +
  'scram_server_key service servicefile target_session_attrs load_balance_hosts oauth_issuer oauth_client_id oauth_client_secret oauth_scope';

/** Environment variables of the same. */
const LIBPQ_VARIABLES =
  'PGHOST PGSSLNEGOTIATION PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGREQUIREAUTH PGCHANNELBINDING PGSERVICE PGSERVICEFILE ' +
  'PGOPTIONS PGAPPNAME PGSSLMODE PGREQUIRESSL PGSSLCOMPRESSION PGSSLCERT PGSSLKEY PGSSLCERTMODE PGSSLROOTCERT PGSSLCRL PGSSLCRLDIR PGSSLSNI ' +
  'PGREQUIREPEER PGSSLMINPROTOCOLVERSION PGSSLMAXPROTOCOLVERSION PGGSSENCMODE PGKRBSRVNAME PGGSSLIB PGGSSDELEGATION PGCONNECT_TIMEOUT ' +
  'PGCLIENTENCODING PGTARGETSESSIONATTRS PGLOADBALANCEHOSTS PGMINPROTOCOLVERSION PGMAXPROTOCOLVERSION PGDATESTYLE PGTZ PGGEQO PGSYSCONFDIR PGLOCALEDIR';

/** A value that would change something, where the parameter takes it. */
const TELLING: Readonly<Record<string, string>> = {
  port: '5999',
  sslmode: 'verify-full',
  sslnegotiation: 'direct',
  ssl_min_protocol_version: 'TLSv1.3',
  ssl_max_protocol_version: 'TLSv1.2',
  sslrootcert: PEM,
  connect_timeout: '9',
  keepalives: '0',
  keepalives_idle: '77',
  channel_binding: 'prefer',
  target_session_attrs: 'primary',
  options: '-c geqo=off',
};
/** What has to be said as well. */
const TOGETHER: Readonly<Record<string, string>> = {
  sslcert: `&sslkey=${PEM}`,
  sslkey: `&sslcert=${PEM}`,
  sslpassword: '&sslmode=require',
  sslnegotiation: '&sslmode=require',
  ssl_min_protocol_version: '&sslmode=require',
  ssl_max_protocol_version: '&sslmode=require',
};

describe('every parameter of libpq is honoured, or refused by its name', () => {
  test.each(LIBPQ_PARAMETERS.split(' '))('%s', (name) => {
    expect(PG_PARAMETERS).toHaveProperty(name);
    const value = TELLING[name] ?? (/^ssl(cert|key)$/.test(name) ? PEM : 'other');
    // Without host and so on, which would say the same twice.
    const rest = TOGETHER[name] ?? '';
    const without = parseDatabaseUrl(
      `postgres://?x=${rest}`
        .replace('?x=&', '?')
        .replace('?x=', '')
        .replace(/[&?]ssl(cert|key)=.*/, ''),
    );
    const { target, refused } = outcome(`postgres://?${name}=${encodeURIComponent(value)}${rest}`);
    const isHonoured = target !== null && (name === 'passfile' || comparable(target) !== comparable(without));
    expect(isHonoured || isRefusedByName(refused, `the parameter ${name} `)).toBe(true);
  });

  test.each(LIBPQ_VARIABLES.split(' '))('%s', (name) => {
    const parameter = Object.entries(PG_PARAMETERS).find(([, { variable }]) => variable === name)?.[0];
    const value =
      TELLING[parameter ?? ''] ?? (/^ssl(cert|key)$/.test(parameter ?? '') ? PEM : name === 'PGDATESTYLE' ? 'ISO, DMY' : 'other');
    const { target, refused } = outcome(`postgres://${(TOGETHER[parameter ?? ''] ?? '').replace('&', '?')}`, { [name]: value });
    const isHonoured = target?.filledIn.includes(name) === true || PG_VARIABLES[name] === 'without effect';
    expect(isHonoured || isRefusedByName(refused, name)).toBe(true);
  });

  test('those of the session reach the session', () => {
    expect(parseDatabaseUrl('postgres://h', { PGOPTIONS: '-c x=1', PGDATESTYLE: 'ISO, DMY', PGTZ: 'UTC', PGGEQO: 'off' }).settings).toEqual(
      {
        x: '1',
        DateStyle: 'ISO, DMY',
        TimeZone: 'UTC',
        geqo: 'off',
      },
    );
  });
});

function outcome(url: string, variables: Variables = {}): { target: PgTarget | null; refused: CouponError | null } {
  try {
    return { target: parseDatabaseUrl(url, variables), refused: null };
  } catch (error) {
    if (error instanceof CouponError) return { target: null, refused: error };
    throw error;
  }
}

function isRefusedByName(refused: CouponError | null, name: string): boolean {
  return refused?.code === 'BAD_DATABASE_URL' && refused.kind === 'usage' && refused.message.includes(name) && /\w/.test(refused.fix ?? '');
}

/** All that a connection is made with. */
function comparable(target: object): string {
  return JSON.stringify({ ...target, shown: '' }, (_key, value: unknown) => (typeof value === 'function' ? 'function' : value));
}

describe('a database URL', () => {
  it.each([
    ['postgres://h', { host: 'h', port: 5432, user: userInfo().username, password: null, database: 'postgres', tls: [false] }],
    ['postgresql://u:p@h:5433/shop', { host: 'h', port: 5433, user: 'u', password: 'p', database: 'shop' }],
    ['postgres:///db?host=/run/postgresql&port=5433', { host: '/run/postgresql', port: 5433, database: 'db' }],
    ['postgres://u:p@/db?host=/cloudsql/a:b:c', { host: '/cloudsql/a:b:c', user: 'u', password: 'p', database: 'db' }],
    ['postgresql://me@%2Fvar%2Frun%2Fpostgresql/postgres', { host: '/var/run/postgresql', user: 'me' }],
    ['postgres://?host=::1', { host: '::1' }],
    [
      'postgres://a,b:5433/x',
      {
        host: 'a',
        hosts: [
          { host: 'a', port: 5432 },
          { host: 'b', port: 5433 },
        ],
        role: 'any',
      },
    ],
    [
      'postgres://a,b/x?port=7',
      {
        hosts: [
          { host: 'a', port: 7 },
          { host: 'b', port: 7 },
        ],
      },
    ],
    [
      'postgres://?host=a,[::1],/run/pg&port=1,,3'.replace('[::1]', '::1'),
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: '::1', port: 5432 },
          { host: '/run/pg', port: 3 },
        ],
      },
    ],
    ['postgres://a,b/x?target_session_attrs=read-write', { role: 'read-write' }],
    ['postgres://h?schema=shop', { schema: 'shop', settings: { search_path: '"shop"' } }],
    ['postgres://h?currentSchema=Shop', { schema: 'shop' }],
    ['postgres://h?search_path=%22Shop%22,public', { schema: 'Shop', settings: { search_path: '"Shop", "public"' } }],
    ['postgres://h?options=-csearch_path%3Dcoupons', { schema: 'coupons', settings: { search_path: '"coupons"' } }],
    ['postgres://h?options=-c%20geqo%3Doff%20--work_mem=4MB', { schema: null, settings: { geqo: 'off', work_mem: '4MB' } }],
    [String.raw`postgres://h?options=-c%20DateStyle%3DISO,\%20DMY`, { settings: { DateStyle: 'ISO, DMY' } }],
    ['postgres://h?pgbouncer=true', { pooled: true }],
    ['postgres://h?sslmode=prefer', { tls: [{ rejectUnauthorized: false }, false] }],
    ['postgres://h?sslmode=allow', { tls: [false, { rejectUnauthorized: false }] }],
    ['postgres://h?sslmode=require&channel_binding=require', { channelBinding: 'require' }],
    ['postgres://[fe80::1%25eth0]:5433', { host: 'fe80::1%eth0', port: 5433 }],
    ['postgres://h?user=u&password=p%26+x&dbname=shop', { user: 'u', password: 'p&+x', database: 'shop' }],
    ['postgres://u:p@h?password=p', { password: 'p' }],
    ['postgres://app:p%40ss%2Fw%3Ard%25%23%3F%26%C3%A9%20x@h/%EC%83%B5', { password: 'p@ss/w:rd%#?&é x', database: '샵' }],
    ['postgres://h?application_name=mine', { applicationName: 'mine' }],
    ['postgres://h?fallback_application_name=mine', { applicationName: 'mine' }],
    ['postgres://h?connect_timeout=9', { connectTimeoutMs: 9_000 }],
    ['postgres://h?sslmode=disable', { tls: [false] }],
    ['postgres://h?sslmode=require', { tls: [{ rejectUnauthorized: false }] }],
    [`postgres://h?sslmode=require&sslrootcert=${PEM}`, { tls: [{ rejectUnauthorized: true, ca: 'a certificate' }] }],
    ['postgres://h?sslmode=verify-full', { tls: [{ rejectUnauthorized: true }] }],
    ['postgres://h?ssl=true', { tls: [{ rejectUnauthorized: true }] }],
    ['postgres://h?ssl=1', { tls: [{ rejectUnauthorized: true }] }],
    ['postgres://h?ssl=false', { tls: [false] }],
    ['postgres://h?sslrootcert=system', { tls: [{ rejectUnauthorized: true }] }],
    ['postgres://h?sslmode=verify-full&sslrootcert=system', { tls: [{ rejectUnauthorized: true }] }],
    [`postgres://h?sslrootcert=${PEM}`, { tls: [{ rejectUnauthorized: true, ca: 'a certificate' }] }],
    [`postgres://h?sslcert=${PEM}&sslkey=${PEM}`, { tls: [{ rejectUnauthorized: true, cert: 'a certificate', key: 'a certificate' }] }],
    ['postgres://?host=/run/postgresql&sslmode=require', { tls: [{ rejectUnauthorized: false }] }],
    [
      'postgres://h?sslmode=require&uselibpqcompat=true&gssencmode=disable&target_session_attrs=any',
      { tls: [{ rejectUnauthorized: false }] },
    ],
  ])('%s is read in full', (url, target) => {
    expect(parseDatabaseUrl(url)).toMatchObject(target);
  });

  it.each([
    ['connection_limit=1', 'connection_limit', 'pool'],
    ['sslaccept=strict', 'sslaccept', 'sslmode'],
    ['ssl=no-verify', 'ssl', 'sslmode'],
    ['ssl=verify-full', 'ssl', 'sslmode'],
    ['sslmode=no-verify', 'sslmode', 'verify-full'],
    ['uselibpqcompat=false', 'uselibpqcompat', 'libpq'],
    ['pgbouncer=yes', 'pgbouncer', 'true or false'],
    ['prepared_statements=false', 'prepared_statements', 'recognised by itself'],
    ['options=-x', 'options', '-c NAME=VALUE'],
    ['schema=a%22b', 'schema', 'letters'],
    ['channel_binding=always', 'channel_binding', 'require'],
    ['target_session_attrs=master', 'target_session_attrs', 'read-write'],
    ['statement_timeout=5', 'statement_timeout', 'time limits'],
    ['SSLMODE=require', 'SSLMODE', 'sslmode'],
    ['sslmod=require', 'sslmod', 'sslmode'],
    ['foo=bar', 'foo', 'Leave it out'],
    ['__proto__=x', 'a parameter', 'Leave it out'],
    ['connect_timeout=0', 'connect_timeout', 'from 1'],
    ['sslmode=', 'sslmode', 'Give it a value'],
  ])('with ?%s is refused by the name of the parameter', (query, name, fix) => {
    const error = refusal(`postgres://h/x?${query}`);
    expect(error).toMatchObject({ code: 'BAD_DATABASE_URL', kind: 'usage', message: expect.stringContaining(name) });
    expect(error.fix).toContain(fix);
  });

  it.each([
    ['mysql://h', 'postgres:// or postgresql://'],
    ['jdbc:postgresql://h/x', 'postgres:// or postgresql://'],
    ['host=h dbname=x', 'space'],
    ['postgres://h:abc', 'port'],
    ['postgres://a:1,b:2,c:3/x?port=1,2', 'port is said twice'],
    ['postgres://?host=a,b,c&port=1,2', '3 hosts and 2 ports'],
    ['postgres://a,,b/x', 'a host of its list is empty'],
    ['postgres://h?channel_binding=require', 'needs TLS'],
    ['postgres://h?channel_binding=require&sslmode=prefer', 'needs TLS'],
    ['postgres://a?host=b', 'host is said twice'],
    ['postgres://u:p@h?password=q', 'password is said twice'],
    ['postgres://app:100%off@h/x', 'escape'],
    ['postgres://app:p#w@h/x', 'behind a /, a ? or a #'],
    ['postgres://app:123/abc@h/x', 'behind a /, a ? or a #'],
    ['postgres://h?sslmode=verify-full&ssl=true', 'both sslmode and ssl'],
    ['postgres://h?sslrootcert=system&sslmode=require', 'verify-full alone'],
    ['postgres://h?sslcert=/x.pem', 'go together'],
    ['postgres://h?sslmode=verify-full&sslrootcert=/nowhere.pem', 'sslrootcert names cannot be read'],
    ['postgres://h?sslnegotiation=direct', 'needs TLS'],
    ['postgres://a b/x', 'space'],
  ])('%s is refused', (url, why) => {
    expect(refusal(url)).toMatchObject({ code: 'BAD_DATABASE_URL', kind: 'usage', message: expect.stringContaining(why) });
  });
});

describe('variables of libpq', () => {
  const ALL = { PGHOST: 'db', PGPORT: '5999', PGUSER: 'kim', PGPASSWORD: 'pw', PGDATABASE: 'shop', PGSSLMODE: 'require' };

  it('fill in what the URL does not say, and nothing else', () => {
    expect(parseDatabaseUrl('postgres://', ALL)).toMatchObject({ host: 'db', port: 5999, user: 'kim', password: 'pw', database: 'shop' });
    const target = parseDatabaseUrl('postgres://u@h/x?sslmode=disable', ALL);
    expect(target).toMatchObject({ host: 'h', port: 5999, user: 'u', password: 'pw', database: 'x', tls: [false] });
    expect(target.filledIn).toEqual(['PGPORT', 'PGPASSWORD']);
  });

  it('ask for TLS also beside a URL that says nothing of it', () => {
    expect(parseDatabaseUrl('postgres://u:p@h/x', { PGSSLMODE: 'require' }).tls).toEqual([{ rejectUnauthorized: false }]);
    expect(parseDatabaseUrl('postgres://u:p@h/x?ssl=true', { PGSSLMODE: 'disable' }).tls).toEqual([{ rejectUnauthorized: true }]);
  });

  it.each([
    ['PGSSLMODE', 'always', 'verify-full'],
    ['PGTARGETSESSIONATTRS', 'master', 'any'],
    ['PGOPTIONS', 'search_path=x', 'NAME=VALUE'],
    ['PGHOSTADDR', '10.0.0.1', 'Write the address as the host'],
    ['PGSERVICE', 'prod', 'DATABASE_URL'],
    ['PGDATESTYLE', 'German', 'ISO'],
    ['PGPORT', 'abc', 'PGPORT'],
    ['PGHOST', 'a,,b', 'PGHOST'],
    ['PGCONNECT_TIMEOUT', '-1', 'seconds'],
    ['PGSSLROOTCERT', '/nowhere.pem', 'PGSSLROOTCERT'],
  ])('%s=%s is refused by its name', (name, value, words) => {
    const error = refusal('postgres://', { [name]: value });
    expect(error.message).toContain(name);
    expect(`${error.message} ${error.fix}`).toContain(words);
  });

  it('that are empty say nothing', () => {
    expect(parseDatabaseUrl('postgres://', { PGHOST: '', PGHOSTADDR: '' })).toMatchObject({ host: '127.0.0.1', filledIn: [] });
  });

  it('become options of the session', () => {
    expect(parseDatabaseUrl('postgres://', { PGOPTIONS: '-c search_path=shop', PGTZ: 'Asia/Seoul' })).toMatchObject({
      settings: { search_path: '"shop"', TimeZone: 'Asia/Seoul' },
      schema: 'shop',
    });
  });
});

describe('the password file', () => {
  const file = join(dir, 'pgpass');
  writeFileSync(file, '# mine\nother:*:*:*:wrong\nh:5432:shop:kim:p\\:w\\\\d\nlocalhost:*:*:kim:socket\n*:*:*:kim:any\n', { mode: 0o600 });

  it('is asked where nothing else says a password', () => {
    expect(parseDatabaseUrl(`postgres://kim@h/shop?passfile=${file}`).password).toBe('p:w\\d');
    expect(parseDatabaseUrl('postgres://kim@elsewhere/shop', { PGPASSFILE: file }).password).toBe('any');
    expect(parseDatabaseUrl(`postgres://kim@/shop?host=/run&passfile=${file}`).password).toBe('socket');
    expect(parseDatabaseUrl(`postgres://kim:own@h/shop?passfile=${file}`).password).toBe('own');
    expect(parseDatabaseUrl(`postgres://jo@h/shop?passfile=${file}`)).toMatchObject({ password: null, passwordNote: null });
  });

  it('is .pgpass in the home folder unless another is named', () => {
    const home = mkdtempSync(join(tmpdir(), 'coupon-'));
    writeFileSync(join(home, '.pgpass'), '*:*:*:*:home\n', { mode: 0o600 });
    expect(parseDatabaseUrl('postgres://kim@h', { HOME: home }).password).toBe('home');
    expect(parseDatabaseUrl('postgres://kim@h', { HOME: join(home, 'nowhere') })).toMatchObject({ password: null, passwordNote: null });
  });

  it('that others may read, or that is not there, is not used, and that is said', () => {
    const open = join(dir, 'open');
    writeFileSync(open, '*:*:*:*:pw\n', { mode: 0o644 });
    expect(parseDatabaseUrl(`postgres://kim@h?passfile=${open}`)).toMatchObject({
      password: null,
      passwordNote: expect.stringContaining('chmod 600'),
    });
    expect(parseDatabaseUrl('postgres://kim@h?passfile=/nowhere')).toMatchObject({
      password: null,
      passwordNote: expect.stringContaining('ENOENT'),
    });
  });

  it('is read line by line as libpq reads it', () => {
    const question = { host: 'h', port: 5432, database: 'd', user: 'u' };
    expect(passwordOf('h:5432:d:u\nh:5432:d:u:p:q\n', question)).toBe('p');
    expect(passwordOf('h:5432:d:u:\r\n*:*:*:*:x\r\n', question)).toBeNull();
    expect(passwordOf('', question)).toBeNull();
  });
});

test('a database URL is shown without its password', () => {
  expect(parseDatabaseUrl('postgres://kim:S3cr3tPw@[::1]/shop?sslmode=require&sslpassword=S3cr3tPw').shown).toBe(
    'postgres://kim:***@[::1]:5432/shop?sslmode=require&sslpassword=***',
  );
  expect(parseDatabaseUrl('postgres://?host=/run/postgresql').shown).toBe('postgres://%2Frun%2Fpostgresql:5432/postgres');
  expect(parseDatabaseUrl('postgres://kim@h', { PGPASSWORD: 'S3cr3tPw' }).shown).toBe('postgres://kim:***@h:5432/postgres');
});
