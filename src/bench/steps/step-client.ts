import { httpClient, type HttpClient, type HttpReply } from '../../lib/net/http-exchange.ts';
import { certificateNotTrusted, isCertificateFault } from '../../lib/net/certificate.ts';
import { CouponError } from '../../lib/errors.ts';
import { printable } from '../../lib/text/visible.ts';
import { captureFrom, withCookies } from '../load/capture.ts';
import { COOKIE_COLUMN } from '../load/cookie-jar.ts';
import { template, untyped } from '../load/request-writer.ts';
import type { TlsTrust } from '../ports.ts';
import type { RequestTemplate } from '../scenario/request.ts';
import type { Action, RequestStep, Step } from '../scenario/steps.ts';

/** A request with its variables filled in. */
export interface FilledRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body: string;
}

/** Values of variables by name; under {@link COOKIE_COLUMN} the cookies of the user. */
export type Values = Record<string, string>;

/** Called with each request and its reply, for those who want to look on. */
export type Watch = (step: string, request: FilledRequest, reply: HttpReply) => void;

/** Does what a step asks for beside requests. @throws CouponError `STEP_FAILED` */
export type RunAction = (step: string, action: Action) => Promise<void>;

interface StepClientOptions {
  tls?: TlsTrust | undefined;
  connections: number;
  /** Left out: the steps are requests. */
  actions?: RunAction | undefined;
  watch?: Watch;
}

const noActions: RunAction = async (step) => {
  throw new Error(`nothing runs the step ${step}`);
};

const BODY_SHOWN = 200;
/** The service may close a connection just as it is used again; nothing of the request was read then. */
const CLOSED_WHILE_IDLE = new Set(['ECONNRESET', 'EPIPE']);

/** Sends the steps around a load. Unlike requests of the load they may be sent twice, when a kept connection turns out to be closed. */
export class StepClient {
  readonly #target: string;
  readonly #http: HttpClient;
  readonly #watch: Watch;
  readonly #actions: RunAction;

  constructor(target: string, { tls, connections, actions = noActions, watch = () => {} }: StepClientOptions) {
    this.#target = target;
    this.#http = httpClient({
      secure: target.startsWith('https:'),
      connections,
      ca: tls?.ca ?? null,
      insecure: tls?.insecure ?? false,
    });
    this.#watch = watch;
    this.#actions = actions;
  }

  /**
   * Sends the steps one after another; each adds what it captures.
   *
   * @throws CouponError `STEP_FAILED`, `BENCH_TARGET_DOWN`, `CERTIFICATE_NOT_TRUSTED`
   */
  async run(steps: readonly Step[], given: Values): Promise<Values> {
    const values = { ...given };
    for (const step of steps) {
      if ('action' in step) {
        await this.#actions(step.name, step.action);
        continue;
      }
      const reply = await this.send(step.name, step.request, values);
      const right = step.expect === null ? reply.status >= 200 && reply.status < 400 : step.expect.includes(reply.status);
      if (!right) throw failed(step, reply, `answered ${reply.status}`, given);
      for (const [name, rule] of Object.entries(step.capture)) {
        const value = captureFrom(rule, asCaptured(reply));
        if (value === null) throw failed(step, reply, `has no ${ruleText(rule)} for {{${name}}}`, given);
        if (/[\r\n\0]/.test(value)) throw failed(step, reply, `has a line break in ${ruleText(rule)} for {{${name}}}`, given);
        values[name] = value;
      }
    }
    return values;
  }

  /** One request with its reply, or with the one that so many redirects on the same address lead to. Cookies are kept in the values. */
  async send(name: string, request: RequestTemplate, values: Values, redirects = 0): Promise<HttpReply> {
    let filled = filledIn(request, this.#target, values);
    for (let left = redirects; ; left -= 1) {
      const reply = await this.#exchange(filled, request.timeoutMs);
      this.#watch(name, filled, reply);
      keepCookies(values, reply);
      const next = left > 0 ? redirected(filled, reply) : null;
      if (next === null) return reply;
      const cookie = values[COOKIE_COLUMN];
      filled = cookie === undefined || cookie === '' ? next : { ...next, headers: { ...next.headers, Cookie: cookie } };
    }
  }

  async #exchange({ url, method, headers, body }: FilledRequest, timeoutMs: number): Promise<HttpReply> {
    const send = (): Promise<HttpReply> => this.#http.exchange(url, { method, headers, body }, timeoutMs);
    try {
      return await send().catch((error: NodeJS.ErrnoException) => {
        if (CLOSED_WHILE_IDLE.has(error.code ?? '')) return send();
        throw error;
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (isCertificateFault(code)) throw certificateNotTrusted(this.#target, { code, message });
      throw new CouponError({
        code: 'BENCH_TARGET_DOWN',
        kind: 'unreachable',
        message: `${method} ${url.href} got no answer (${code ?? message}); no load was sent`,
        fix: 'Look whether the service is up, and whether the address is right.',
        cause: error,
      });
    }
  }

  close(): void {
    this.#http.close();
  }
}

/** The request as it is sent, each value escaped for its place. */
export function filledIn(request: RequestTemplate, target: string, values: Values): FilledRequest {
  const names = Object.keys(values);
  const all = Object.values(values);
  const fill = (text: string, escape: (value: string) => string): string => template(text, escape, names)(all);
  const form = Object.entries(request.headers).some(
    ([name, value]) => /^content-type$/i.test(name) && /x-www-form-urlencoded/i.test(value),
  );
  const json = request.json !== undefined;
  const text = json ? untyped(JSON.stringify(request.json)) : (request.body ?? '');
  const body = fill(text, json ? (value) => JSON.stringify(value).slice(1, -1) : form ? encodeURIComponent : (value) => value);
  const headers: Record<string, string> = { 'User-Agent': 'coupon-cli-bench', ...(json ? { 'Content-Type': 'application/json' } : {}) };
  for (const [name, value] of Object.entries(request.headers)) {
    const same = Object.keys(headers).find((one) => one.toLowerCase() === name.toLowerCase());
    if (same !== undefined) delete headers[same];
    headers[name] = fill(value, (one) => one);
  }
  const cookie = values[COOKIE_COLUMN];
  if (cookie !== undefined && cookie !== '') headers['Cookie'] = cookie;
  if (body !== '') headers['Content-Length'] = String(Buffer.byteLength(body));
  return { method: request.method, url: new URL(`${target}${fill(request.path, encodeURIComponent)}`), headers, body };
}

function redirected(request: FilledRequest, { status, headers }: HttpReply): FilledRequest | null {
  const { location } = headers;
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined || !URL.canParse(location, request.url.href)) return null;
  const url = new URL(location, request.url);
  if (url.origin !== request.url.origin) return null;
  if (status > 303) return { ...request, url };
  const kept = Object.entries(request.headers).filter(([name]) => !/^content-/i.test(name));
  return { ...request, url, method: 'GET', body: '', headers: Object.fromEntries(kept) };
}

export function asCaptured({ body, headers }: HttpReply): Parameters<typeof captureFrom>[1] {
  const header = (name: string): string | null => {
    const value = headers[name.toLowerCase()];
    return value === undefined ? null : [value].flat().join(', ');
  };
  return { body, header, setCookie: headers['set-cookie'] ?? [] };
}

function keepCookies(values: Values, { headers }: HttpReply): void {
  const set = headers['set-cookie'] ?? [];
  if (set.length > 0) values[COOKIE_COLUMN] = withCookies(values[COOKIE_COLUMN] ?? '', set);
}

function ruleText(rule: RequestStep['capture'][string]): string {
  if ('json' in rule) return `field ${rule.json}`;
  if ('header' in rule) return `header ${rule.header}`;
  return 'cookie' in rule ? `cookie ${rule.cookie}` : `text that matches ${rule.text}`;
}

function failed(step: RequestStep, { body }: HttpReply, what: string, { userId }: Values): CouponError {
  const of = userId === undefined ? '' : ` for user ${userId}`;
  return new CouponError({
    code: 'STEP_FAILED',
    kind: 'unreachable',
    message: `${step.name}${of}: the reply ${what}; no load was sent`,
    ...(body.trim() === '' ? {} : { why: `the reply begins: ${printable(body.slice(0, BODY_SHOWN), BODY_SHOWN)}` }),
    fix: 'Look at each request and reply with `coupon-cli bench try`, and correct the step.',
  });
}
