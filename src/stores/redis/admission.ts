import { chunked } from '../../lib/chunked.ts';
import type { Admission } from '../../campaign/ports/admission.ts';
import { ADMISSION_BATCH, type AdmissionAnswer, type AdmissionRequest } from '../../campaign/admission.ts';
import type { Place } from '../../campaign/place.ts';
import { scoreToMicros } from '../../campaign/coupon.ts';
import type { AdmissionOutcome } from '../../campaign/outcome.ts';
import type { RedisConnection } from './connection.ts';
import { redisWriteError } from './errors.ts';
import { couponKeys, type KeyStyle } from './keys.ts';
import { runScript } from './script.ts';
import { couponFault } from './wrong-type.ts';

export function redisAdmission(connection: RedisConnection, style: KeyStyle): Admission {
  return {
    async admit(couponId, requests) {
      const keys = couponKeys(couponId, style);
      const chunks: Promise<unknown>[] = [];
      try {
        for (const chunk of chunked(requests, ADMISSION_BATCH)) {
          const users = chunk.map((request) => request.userId);
          chunks.push(runScript(connection.client, 'admit', keys, users, encode(connection.run, chunk)));
        }
        return (await Promise.all(chunks)).flatMap((reply) => decode(reply as string[]));
      } catch (error) {
        await Promise.allSettled(chunks);
        throw await couponFault(connection, keys, error, redisWriteError);
      }
    },
  };
}

function encode(run: string, requests: readonly AdmissionRequest[]): string[] {
  return [run, ...requests.flatMap((request) => [request.userId, request.requestId])];
}

function decode(reply: string[]): AdmissionAnswer[] {
  const answers: AdmissionAnswer[] = [];
  for (let i = 0; i < reply.length; i += 3) {
    const answer: AdmissionAnswer = { outcome: reply[i] as AdmissionOutcome };
    if (reply[i + 1]) answer.place = reply[i + 1] as Place;
    const micros = reply[i + 2] ? scoreToMicros(Number(reply[i + 2])) : null;
    if (micros !== null) answer.firstRequestUs = micros;
    answers.push(answer);
  }
  return answers;
}
