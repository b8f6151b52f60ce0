import type { FastifyInstance } from 'fastify';
import { buildServer, type HttpOptions, type HttpPorts } from '../../src/admission/serve/server.ts';
import type { TestStores } from './stores.ts';

export interface Reply<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  text: string;
  body: T;
}

/** The endpoint on real stores, listening on a free port of loopback. */
export interface TestEndpoint extends AsyncDisposable {
  app: FastifyInstance;
  url: string;
  /** What the operator would have been told. */
  faults: unknown[];
  get(path: string): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Asks for a coupon. */
  ask(couponId: string, userId: string, key?: string): Promise<Reply>;
}

/** @param replaced ports that differ from those of the stores, for example behind a proxy */
export async function openEndpoint(
  stores: TestStores,
  replaced: Partial<HttpPorts> = {},
  options: Partial<HttpOptions> = {},
): Promise<TestEndpoint> {
  const { admission, refusals, coupons, claims, reader, ledger, health } = stores;
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const app = await buildServer(
    { admission, refusals, coupons, claims, reader, ledger, health, ...replaced },
    { version: '0.0.0-test', keyStyle: 'plain', onFault, ...options },
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  const send = async (path: string, init: RequestInit): Promise<Reply> => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : {} };
  };
  const post = (path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
    send(path, {
      method: 'POST',
      ...(body === undefined ? { headers } : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }),
    });
  return {
    app,
    url,
    faults,
    get: (path) => send(path, {}),
    post,
    ask: (couponId, userId, key) => post(`/coupons/${couponId}/requests`, { userId }, key === undefined ? {} : { 'idempotency-key': key }),
    async [Symbol.asyncDispose]() {
      await app.close();
    },
  };
}
