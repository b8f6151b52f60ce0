import { chunked } from '../../lib/chunked.ts';
import type { Admission } from '../../campaign/ports/admission.ts';
import { ADMISSION_BATCH, type AdmissionAnswer, type AdmissionRequest } from '../../campaign/admission.ts';
import type { Place } from '../../campaign/place.ts';
import { scoreToMicros } from '../../campaign/coupon.ts';
import type { AdmissionOutcome } from '../../campaign/outcome.ts';
import type { RedisConnection } from './connection/connection.ts';
import { couponKeys, type KeyStyle } from './keys/keys.ts';
import { runScript } from './script.ts';
import { couponFault } from './keys/wrong-type.ts';

export function redisAdmission(connection: RedisConnection, style: KeyStyle): Admission {
  return {
    async admit(couponId, requests) {
      const keys = couponKeys(couponId, style);
      const chunks: Promise<unknown>[] = [];
      try {
        for (const chunk of chunked(requests, ADMISSION_BATCH)) {
          const args = [connection.runOf(keys.coupon), `${connection.prefix}${keys.issued('')}`, encode(chunk)];
          chunks.push(runScript(connection.client, 'admit', keys, [], args));
        }
        return (await Promise.all(chunks)).flatMap((reply) => decode(reply as string));
      } catch (error) {
        await Promise.allSettled(chunks);
        throw await couponFault(connection, keys, error, (other) => connection.explainWrite(other));
      }
    },
  };
}

/** Neither id holds a control character: see `USER_ID`, and the pattern of the header `Idempotency-Key`. */
export function encode(requests: readonly AdmissionRequest[]): string {
  let text = '';
  for (const { userId, requestId } of requests) text += `${userId}\t${requestId}\n`;
  return text;
}

export function decode(reply: string): AdmissionAnswer[] {
  return reply.split('\n').map((line) => {
    const [outcome, place, score] = line.split(' ') as [AdmissionOutcome, Place | '-', string];
    const answer: AdmissionAnswer = { outcome };
    if (place !== '-') answer.place = place;
    if (score !== '-' && (outcome === 'not_yet_open' || outcome === 'closed')) return { outcome, atMs: Number(score) };
    const micros = score === '-' ? null : scoreToMicros(Number(score));
    if (micros !== null) answer.firstRequestUs = micros;
    return answer;
  });
}
