import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendProblem } from './problem.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Node also answers those who name none, or one of another protocol. */
const VERSIONS = new Set(['1.0', '1.1']);

/** What Fastify would take although it should not be taken: a problem document for each. See `node-server.ts` for what is below it. */
export function answerOddHttp(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const refusal = refusalOf(request);
    return refusal ? sendProblem(reply, ...refusal) : undefined;
  });
}

function refusalOf(request: FastifyRequest): Parameters<typeof sendProblem> extends [unknown, ...infer Rest] ? Rest | null : never {
  const { headers, raw, method } = request;
  if (!VERSIONS.has(raw.httpVersion)) return ['invalid_request', 'This server speaks HTTP/1.1.'];
  if (headers.host === undefined && raw.httpVersion === '1.1') return ['invalid_request', 'HTTP/1.1 needs a Host header (RFC 9112 §3.2).'];
  // Of several codings Node undoes the chunks alone, and would hand over what is still compressed in them.
  const { 'content-encoding': content = 'identity', 'transfer-encoding': transfer = '' } = headers;
  if (content !== 'identity' || transfer.includes(',')) return ['unsupported_media_type', 'Bodies are read uncompressed only.'];
  if (!SAFE.has(method) && isForeign(headers.origin, headers.host))
    return ['forbidden', 'The request comes from the page of another site.'];
  return null;
}

/** A browser says which page sends a request. Without CORS no other site has a reason to, and no preflight asks for bodyless ones. */
function isForeign(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
