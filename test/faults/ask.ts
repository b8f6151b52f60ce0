import { request, type Agent, type IncomingMessage } from 'node:http';
import { outcomeOfStatus } from '../../src/campaign/http-status.ts';
import type { Outcome } from '../../src/campaign/outcome.ts';

/** How a request ended for the one who sent it. */
export interface Reply {
  outcome: Outcome;
  /** HTTP status; 0 when there was none. */
  status: number;
}

export interface Question {
  couponId: string;
  userId: string;
  /** Idempotency-Key. */
  key: string;
}

/**
 * Asks once. Whatever happens after the bytes may have left is `unknown`; only a connection that was never made is `unsent`.
 * Nothing is tried again here.
 */
export function ask(endpoint: string, question: Question, options: { agent: Agent; timeoutMs: number }): Promise<Reply> {
  const body = JSON.stringify({ userId: question.userId });
  return new Promise((resolve) => {
    const sent = request(`${endpoint}/coupons/${question.couponId}/requests`, {
      method: 'POST',
      agent: options.agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'idempotency-key': question.key },
    });
    const timer = setTimeout(() => sent.destroy(), options.timeoutMs);
    const end = (reply: Reply): void => {
      clearTimeout(timer);
      resolve(reply);
    };
    const lost = (): void => end({ outcome: 'unknown', status: 0 });
    sent.on('error', (error: NodeJS.ErrnoException) => (error.syscall === 'connect' ? end({ outcome: 'unsent', status: 0 }) : lost()));
    sent.on('close', lost);
    sent.on('response', (response) => {
      // From here on it is the response that may break off.
      sent.off('close', lost);
      read(response).then(
        (text) => end({ outcome: outcomeOfReply(response.statusCode ?? 0, text), status: response.statusCode ?? 0 }),
        lost,
      );
    });
    sent.end(body);
  });
}

async function read(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) text += part as string;
  return text;
}

/** Status and the body's own word must agree: an answer that contradicts itself is no answer that anybody promised. */
export function outcomeOfReply(status: number, body: string): Outcome {
  const said = word(body);
  if (status === 503 && said === 'unknown') return 'unknown';
  const outcome = outcomeOfStatus(status);
  return said === outcome ? outcome : 'unexpected';
}

function word(body: string): unknown {
  try {
    const document = JSON.parse(body) as { code?: unknown; outcome?: unknown };
    return document.code ?? document.outcome;
  } catch {
    return null;
  }
}
