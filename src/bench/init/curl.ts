import { usageError } from '../../lib/errors.ts';
import { variableFor, withVariables, type DraftRequest } from './draft.ts';

export interface CurlDraft {
  target: string;
  request: DraftRequest;
  secrets: string[];
  insecure: boolean;
}

/** Options of curl that take a value and mean nothing for the request itself. */
const IGNORED_WITH_VALUE = new Set([
  '-o',
  '--output',
  '-A',
  '--user-agent',
  '--connect-timeout',
  '-m',
  '--max-time',
  '-w',
  '--write-out',
  '-e',
  '--referer',
  '--retry',
]);
const SECRET = /^(authorization|cookie|x-api-key|x-auth-token|proxy-authorization)$|token|secret/i;

/**
 * A command as browsers and API tools copy it ("copy as cURL"). Users and coupons in it become variables, credentials variables of the
 * environment.
 *
 * @throws CouponError `BENCH_INIT` for what is no such command
 */
export function fromCurl(command: string, userField?: string): CurlDraft {
  const words = shellWords(command);
  if (words[0] !== 'curl') throw bad('it does not begin with "curl"');
  const headers: Record<string, string> = {};
  const data: string[] = [];
  const secrets: string[] = [];
  let method: string | null = null;
  let url: string | null = null;
  let json = false;
  let insecure = false;
  let auth: DraftRequest['auth'];
  let asQuery = false;
  const secret = (name: string): string => {
    secrets.push(name);
    return `\${${name}}`;
  };
  for (let index = 1; index < words.length; index += 1) {
    const [option, glued] = splitOption(words[index]!);
    const value = (): string => {
      if (glued !== null) return glued;
      index += 1;
      if (words[index] === undefined) throw bad(`${option} has no value`);
      return words[index]!;
    };
    switch (option) {
      case '-X':
      case '--request':
        method = value().toUpperCase();
        break;
      case '-H':
      case '--header': {
        const [, name = '', text = ''] = /^([^:]+):\s*(.*)$/s.exec(value()) ?? [];
        if (name === '' || /^(host|content-length|accept-encoding|connection)$/i.test(name)) break;
        if (SECRET.test(name)) {
          const scheme = /^(Bearer|Token|Basic) /i.exec(text)?.[0] ?? '';
          headers[name] = `${scheme}${secret(environmentName(name))}`;
        } else headers[name] = variableFor(name, userField) === 'userId' ? '{{userId}}' : text;
        break;
      }
      case '-b':
      case '--cookie':
        value();
        headers['Cookie'] = secret('COOKIE');
        break;
      case '-d':
      case '--data':
      case '--data-raw':
      case '--data-binary':
      case '--data-ascii':
      case '--data-urlencode':
        data.push(value());
        break;
      case '--json':
        json = true;
        data.push(value());
        break;
      case '-u':
      case '--user':
        auth = { user: value().split(':')[0]!, password: secret('PASSWORD') };
        break;
      case '-k':
      case '--insecure':
        insecure = true;
        break;
      case '-G':
      case '--get':
        asQuery = true;
        break;
      case '--url':
        url = value();
        break;
      default:
        if (IGNORED_WITH_VALUE.has(option)) value();
        else if (!option.startsWith('-')) url ??= words[index]!;
    }
  }
  if (url === null) throw bad('it names no URL');
  const full = /^https?:\/\//i.test(url) ? url : `http://${url}`;
  if (!URL.canParse(full)) throw bad(`"${url}" is no URL`);
  const { origin, pathname, search } = new URL(full);
  const query = asQuery && data.length > 0 ? `${search === '' ? '?' : `${search}&`}${data.join('&')}` : search;
  const body = asQuery ? undefined : data.length > 0 ? data.join('&') : undefined;
  const request: DraftRequest = {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    path: `${pathname}${queryWithVariables(query, userField)}`,
    headers,
  };
  if (auth) request.auth = auth;
  if (body !== undefined) Object.assign(request, bodyOf(body, json, headers, userField));
  return { target: origin, request, secrets, insecure };
}

function bodyOf(body: string, json: boolean, headers: Record<string, string>, userField?: string): Pick<DraftRequest, 'json' | 'body'> {
  const type = Object.entries(headers).find(([name]) => /^content-type$/i.test(name));
  if (json || type === undefined || /json/i.test(type[1])) {
    try {
      const parsed: unknown = JSON.parse(body);
      if (type) delete headers[type[0]];
      return { json: withVariables(parsed, userField) };
    } catch {
      // Not JSON, whatever the header says: sent as it stands.
    }
  }
  if (type === undefined) headers['Content-Type'] = 'application/x-www-form-urlencoded';
  return {
    body: /x-www-form-urlencoded/i.test(headers['Content-Type'] ?? type?.[1] ?? '')
      ? queryWithVariables(`?${body}`, userField).slice(1)
      : body,
  };
}

function queryWithVariables(query: string, userField?: string): string {
  return query.replace(/([?&])([^=&]+)=([^&]*)/g, (whole, mark: string, name: string) => {
    const variable = variableFor(name, userField);
    return variable === null ? whole : `${mark}${name}={{${variable}}}`;
  });
}

function environmentName(header: string): string {
  return /^authorization$/i.test(header) ? 'TOKEN' : header.toUpperCase().replaceAll(/\W/g, '_');
}

/** `-XPOST` and `--request=POST` have their value in the same word. */
function splitOption(word: string): [option: string, glued: string | null] {
  const long = /^(--[a-z-]+)=(.*)$/s.exec(word);
  if (long) return [long[1]!, long[2]!];
  const short = /^(-[XHdubom])(.+)$/s.exec(word);
  return short ? [short[1]!, short[2]!] : [word, null];
}

/** Words of a POSIX shell command: quotes, `$'…'`, backslashes, and lines that go on. Nothing is expanded. */
export function shellWords(command: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  const pattern = /\\\r?\n|\s+|'([^']*)'|\$'((?:\\.|[^'\\])*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])|([^\s'"\\$]+|\$)/gy;
  let at = 0;
  for (let match = pattern.exec(command); match !== null; match = pattern.exec(command)) {
    at = pattern.lastIndex;
    const [whole, single, ansi, double, escaped, plain] = match;
    const part =
      single ?? (ansi === undefined ? undefined : unescaped(ansi)) ?? double?.replace(/\\([$`"\\\n])/g, '$1') ?? escaped ?? plain;
    if (part !== undefined) word = (word ?? '') + part;
    else if (word !== null && !whole.startsWith('\\')) {
      words.push(word);
      word = null;
    }
  }
  if (at !== command.length) throw bad(`the quotes after "${command.slice(at, at + 20)}" are never closed`);
  if (word !== null) words.push(word);
  return words;
}

function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-f]{4}|x[0-9a-f]{2}|.)/gi, (_whole, code: string) => {
    if (/^[ux]/i.test(code) && code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: '\n', t: '\t', r: '\r' }[code] ?? code;
  });
}

function bad(why: string) {
  return usageError('BENCH_INIT', `the curl command cannot be read: ${why}`, 'Give it in one piece of quotes, as "copy as cURL" makes it.');
}
