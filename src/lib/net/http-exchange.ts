import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { lookup } from './loopback.ts';
import { ReplyBody, REPLY_LIMIT_BYTES } from './reply-body.ts';

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** False: it went on for too long, and was cut off. */
  whole: boolean;
}

export interface HttpRequest {
  method: string;
  headers?: Record<string, string | number>;
  body?: string;
}

export interface HttpClientOptions {
  secure: boolean;
  /** Connections that are kept. */
  connections: number;
  /** PEM of authorities instead of those that Node knows. */
  ca?: string | null;
  /** Take any certificate. */
  insecure?: boolean;
}

export interface HttpClient {
  /** One request and its reply, within so many milliseconds; never sent twice. @throws what the network says */
  exchange(url: URL, request: HttpRequest, timeoutMs: number): Promise<HttpReply>;
  close(): void;
}

/** Requests one by one over kept connections. The load itself goes through autocannon; this is for what surrounds it. */
export function httpClient({ secure, connections, ca = null, insecure = false }: HttpClientOptions): HttpClient {
  const kept = { lookup, keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  const agent = secure ? new HttpsAgent({ ...kept, rejectUnauthorized: !insecure, ...(ca === null ? {} : { ca }) }) : new HttpAgent(kept);
  const start = secure ? httpsRequest : httpRequest;
  return {
    exchange: (url, { method, headers = {}, body = '' }, timeoutMs) =>
      new Promise((resolve, reject) => {
        const outgoing = start(url, { method, agent, headers }, (incoming) => void readReply(incoming).then(resolve, reject));
        // A timer of the whole exchange: the socket's own starts anew with every byte.
        const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
        outgoing.on('close', () => clearTimeout(timer));
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    close: () => agent.destroy(),
  };
}

async function readReply(incoming: IncomingMessage): Promise<HttpReply> {
  const body = new ReplyBody();
  let received = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    body.add(chunk);
    received += chunk.length;
    // Leaving the loop destroys the connection.
    if (received > REPLY_LIMIT_BYTES) break;
  }
  const { statusCode = 0, headers } = incoming;
  const text = body.text(headers['content-type'] ?? null, headers['content-encoding'] ?? null);
  return { status: statusCode, headers, body: text, whole: received <= REPLY_LIMIT_BYTES };
}
