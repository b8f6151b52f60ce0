/**
 * `scheme://user:password@host:port/path?name=value`, taken apart by hand. `new URL` drops tabs and line breaks, takes part of an
 * unescaped password for a host, and knows neither an empty host nor a list of hosts.
 *
 * No refusal repeats a part of the text: where a password is not escaped, any part may belong to it.
 */

export interface StoreUrl {
  scheme: string;
  /** Decoded, like all that follows; null where it is not written. */
  user: string | null;
  password: string | null;
  /** Without the brackets of an IPv6 address; empty where none is written. */
  host: string;
  port: number | null;
  /** All of them, where a list may be written; the first one is `host` and `port`. */
  hosts: readonly { host: string; port: number | null }[];
  /** Without the leading slash. */
  path: string;
  /** Each name once. */
  params: ReadonlyMap<string, string>;
}

/** Makes the error of a refusal; its texts hold nothing of the URL. */
export type RefuseUrl = (why: string, fix?: string) => Error;

const ENCODE =
  'Percent-encode these characters where they belong to a name or a password: / is %2F, # is %23, ? is %3F, @ is %40, % is %25.';

/**
 * @param schemes that are taken, without the colon
 * @param lists whether several hosts may be named, joined by commas
 */
export function splitStoreUrl(text: string, schemes: readonly string[], refuse: RefuseUrl, lists = false): StoreUrl {
  if (/^["'`]|["'`]$/.test(text)) {
    throw refuse('it begins or ends with a quote', 'Take the quotes away; `docker run --env-file` keeps them as they are.');
  }
  if (/[\s\p{Cc}]/u.test(text)) {
    throw refuse('there is a space, a line break or a control character in it', 'Take it away, or percent-encode it: a space is %20.');
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase() ?? '';
  if (!schemes.includes(scheme)) throw refuse(`it does not begin with ${schemes.map((name) => `${name}://`).join(' or ')}`);

  const rest = text.slice(scheme.length + '://'.length);
  const end = rest.search(/[/?#]|$/);
  const [authority, tail] = [rest.slice(0, end), rest.slice(end)];
  // An @ is legal in a path or a query; so close to an unescaped password, it is more likely the end of one.
  if (tail.includes('@')) throw refuse('an @ stands behind a /, a ? or a #', ENCODE);
  if (tail.includes('#')) throw refuse('there is a # in it', ENCODE);

  const decode = (part: string): string => decoded(part, refuse);
  const at = authority.lastIndexOf('@');
  const login = at < 0 ? null : authority.slice(0, at);
  const colon = login?.indexOf(':') ?? -1;
  const query = tail.indexOf('?');
  return {
    scheme,
    user: login === null ? null : decode(colon < 0 ? login : login.slice(0, colon)),
    password: login === null || colon < 0 ? null : decode(login.slice(colon + 1)),
    ...hostsOf(authority.slice(at + 1), lists, refuse),
    path: decode((query < 0 ? tail : tail.slice(0, query)).slice(1)),
    params: parameters(query < 0 ? '' : tail.slice(query + 1), refuse),
  };
}

function hostsOf(text: string, lists: boolean, refuse: RefuseUrl): Pick<StoreUrl, 'host' | 'port' | 'hosts'> {
  if (text.includes(',') && !lists) throw refuse('it names several hosts', 'Name one host.');
  const hosts = text.split(',').map((one) => hostAndPort(one, refuse));
  if (hosts.length > 1 && hosts.some(({ host }) => host === '')) throw refuse('a host of its list is empty', ENCODE);
  return { ...hosts[0]!, hosts };
}

function hostAndPort(text: string, refuse: RefuseUrl): { host: string; port: number | null } {
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
  if (bracketed === undefined && plain === '' && text !== '' && port === '') throw refuse('its host and port cannot be read', ENCODE);
  return { host: hostName(decoded(bracketed ?? plain, refuse), refuse), port: port === '' ? null : portNumber(port, refuse) };
}

/** Nothing else goes to the DNS: it could be part of a password. */
export function hostName(name: string, refuse: RefuseUrl): string {
  const address = /^[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i.test(name);
  if (address || name.startsWith('/') || /^[\p{L}\p{N}._-]*$/u.test(name)) return name;
  throw refuse('its host has a character that no host name has', ENCODE);
}

export function portNumber(text: string, refuse: RefuseUrl): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw refuse('its port is not a number from 1 to 65535', ENCODE);
  return port;
}

function parameters(query: string, refuse: RefuseUrl): Map<string, string> {
  const params = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals < 1) throw refuse('behind the ? stands something that is not NAME=VALUE', ENCODE);
    // A + stays a +, as libpq reads it.
    const name = decoded(part.slice(0, equals), refuse);
    if (params.has(name)) throw refuse(`${parameterName(name)} is given twice`, 'Give it once.');
    params.set(name, decoded(part.slice(equals + 1), refuse));
  }
  return params;
}

/** How a message calls a parameter. What does not look like a name is not repeated. */
export function parameterName(name: string): string {
  return /^[A-Za-z][A-Za-z0-9_.-]{0,39}$/.test(name) && !/\d{2}|\d[A-Za-z]/.test(name) ? `the parameter ${name}` : 'a parameter';
}

function decoded(part: string, refuse: RefuseUrl): string {
  if (/%(?![0-9a-f]{2})/i.test(part)) throw refuse('a % in it does not begin an escape', ENCODE);
  try {
    const text = decodeURIComponent(part);
    if (!text.includes('\0')) return text;
  } catch {
    throw refuse('its escapes are not UTF-8', ENCODE);
  }
  throw refuse('there is a %00 in it', ENCODE);
}
