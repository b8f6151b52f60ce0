/**
 * An event file: the coupons of a campaign, as `seed --file` reads them. The same fields describe the coupons of a scenario.
 */
import { z } from 'zod';
import { checkDefinition, MAX_TOTAL, type CouponDefinition, type Expiry } from './coupon.ts';
import { parseDuration } from '../lib/duration.ts';
import { CouponError } from '../lib/errors.ts';
import { isCouponId } from './ids.ts';
import { parseInstant } from './time.ts';
import type { Report } from '../lib/yaml/issues.ts';
import { readYaml } from '../lib/yaml/yaml-file.ts';

/** A text that one of our own parsers reads; its message becomes the problem. */
export function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof CouponError ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

/** @param zone in which times without one are meant */
function couponSchemaIn(zone: string | undefined) {
  const instant = parsed((text) => parseInstant(text, { zone }));
  return z.strictObject({
    id: z
      .union([z.string(), z.int()])
      .refine((id): id is string => typeof id === 'string', 'was read as a number: quote it')
      .refine(isCouponId, 'must be 1–64 letters, digits, ".", "_" or "-", starting with a letter or digit'),
    name: z.string().min(1).max(200),
    total: z.int().min(0).max(MAX_TOTAL),
    opensAt: instant.optional(),
    closesAt: instant.optional(),
    expiresAt: instant.optional(),
    validFor: parsed((text) => parseDuration(text)).optional(),
  });
}

export const couponSchema = couponSchemaIn(undefined);

/** As `seed` and `edit` read it: `stock` is the same as `total`, as in `seed --stock`. */
function eventCouponSchemaIn(zone: string | undefined) {
  const { total } = couponSchema.shape;
  const state = z.never({ error: 'is no setting of a file: pause, resume or close the coupon' });
  return couponSchemaIn(zone).extend({ total: total.optional(), stock: total.optional(), state: state.optional() });
}

/** How a file spells the ids of its coupons is how they are. */
export const COUPON_IDS = { list: 'coupons', field: 'id' };

const EVENT = {
  code: 'BAD_EVENT_FILE' as const,
  asWritten: COUPON_IDS,
  what: 'a valid event file',
  fix: 'Correct these lines. `coupon-cli seed --example` prints a file with every field.',
};

/** The same as JSON schema (draft 2020-12), for editors; a test writes it to `schemas/`. */
export function eventJsonSchema(): object {
  return { ...z.toJSONSchema(eventSchemaIn(undefined), { io: 'input' }), title: 'Event file of coupon-cli' };
}

/** What `seed --example` prints. */
export const EXAMPLE_EVENT = `coupons:
  - id: summer # 1–64 letters, digits, ".", "_" or "-", starting with a letter or digit
    name: 여름맞이 쿠폰
    total: 1000 # how many may ever be issued; \`stock\` means the same
    opensAt: 2026-12-24T10:00:00+09:00 # optional: first instant at which requests are taken
    closesAt: 2026-12-25T00:00:00+09:00 # optional: first instant at which they no longer are
    expiresAt: 2027-01-31T23:59:59+09:00 # optional: when issued coupons stop being usable …
  - { id: winter, name: Winter, total: 500, validFor: 30d } # … or how long they are usable after issue
`;

function eventSchemaIn(zone: string | undefined) {
  return z.strictObject({ version: z.literal(1).optional(), coupons: z.array(eventCouponSchemaIn(zone)).min(1).max(1_000) });
}

/**
 * @param file only for messages
 * @param zone in which times without one are meant
 * @throws CouponError `BAD_EVENT_FILE` naming line and column of every problem
 */
export function parseEvent(source: string, file: string, zone?: string): CouponDefinition[] {
  const schema = eventSchemaIn(zone);
  return readYaml({ ...EVENT, schema }, source, file, ({ coupons }, report) => {
    const seen = new Set<string>();
    return coupons.map((coupon, index) => {
      if (seen.has(coupon.id)) report(['coupons', index, 'id'], `"${coupon.id}" is there twice`);
      seen.add(coupon.id);
      const { total, stock } = coupon;
      if (total !== undefined && stock !== undefined) report(['coupons', index, 'stock'], 'is the same as total: leave one of them out');
      else if (total === undefined && stock === undefined) report(['coupons', index], 'total is missing');
      return couponDefinition({ ...coupon, total: total ?? stock ?? 0 }, ['coupons', index], report);
    });
  });
}

/** One coupon as it was written, checked as a whole; what is wrong with it goes to `report`. */
export function couponDefinition(written: z.output<typeof couponSchema>, path: readonly PropertyKey[], report: Report): CouponDefinition {
  const { id, name, total, opensAt = null, closesAt = null, expiresAt, validFor } = written;
  if (expiresAt && validFor !== undefined) report([...path, 'validFor'], 'goes not together with expiresAt');
  let expiry: Expiry = { kind: 'never' };
  if (expiresAt) expiry = { kind: 'at', at: expiresAt };
  else if (validFor !== undefined) expiry = { kind: 'after', ms: validFor };
  const definition = { id, name, total, opensAt, closesAt, expiry };
  try {
    return checkDefinition(definition);
  } catch (error) {
    report(path, error instanceof CouponError ? error.message : String(error));
    return definition;
  }
}
