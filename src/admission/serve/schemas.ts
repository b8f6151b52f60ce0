import { COUPON_ID, USER_ID } from '../../campaign/ids.ts';
import { PLACES } from '../../campaign/place.ts';

/** JSON schemas that several routes share. They validate requests, compile the serializers, and make up the OpenAPI document. */

export const couponIdSchema = { type: 'string', pattern: COUPON_ID.source, description: 'Coupon id' } as const;

export const userIdSchema = {
  type: 'string',
  pattern: USER_ID.source,
  description:
    'User id: 1–128 visible ASCII characters other than { and }; not what a JSON or JDK serializer makes of one (beginning with a quote or a bracket)',
} as const;

/** Many services have numbers. One that JSON readers would round is refused: it would be another user. */
export const userIdOrNumberSchema = {
  ...userIdSchema,
  type: ['string', 'integer'],
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
  description: `${userIdSchema.description}; or a whole number, which means its decimal text`,
} as const;

export const placeSchema = {
  type: 'string',
  enum: PLACES,
  description: 'In the queue; leased to a worker; dead-lettered after a fault; issued; accepted, but in none of these places just now',
} as const;

export const timeSchema = { type: 'string', format: 'date-time' } as const;
export const nullableTimeSchema = { type: ['string', 'null'], format: 'date-time' } as const;

export const couponParams = { type: 'object', required: ['couponId'], properties: { couponId: couponIdSchema } } as const;

export const userParams = {
  type: 'object',
  required: ['couponId', 'userId'],
  properties: { couponId: couponIdSchema, userId: userIdSchema },
} as const;

/** Headers arrive in lower case. */
export function idempotencyHeaders(meaning: string): object {
  return {
    type: 'object',
    properties: { 'idempotency-key': { type: 'string', pattern: '^[!-~]{1,128}$', description: meaning } },
  };
}
