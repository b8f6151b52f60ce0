import { z } from 'zod';
import { CHECKS, VERDICTS } from './line.ts';

const count = z.number().int().nonnegative();

/** What `doctor --json` prints: `schemas/doctor.schema.json` is made from it. */
export const doctorReportSchema = z.object({
  verdict: z.enum(VERDICTS),
  lines: z.array(
    z.object({
      check: z.enum(CHECKS),
      where: z.string().nullable(),
      verdict: z.enum(VERDICTS),
      text: z.string(),
      fix: z.string().nullable(),
      /** Where the line is explained. */
      docs: z.string(),
    }),
  ),
  /** Null: Redis could not be reached. */
  bytesPerUser: z.object({ bytes: count, from: z.enum(['sample', 'probe', 'figure']), detail: z.string() }).nullable(),
  /** Of `--for`; `drainSeconds` is null where nothing but the stores limits it. */
  event: z
    .object({ file: z.string(), coupons: count, users: count, fits: z.boolean(), drainSeconds: z.number().nonnegative().nullable() })
    .nullable(),
});

export type DoctorReport = z.infer<typeof doctorReportSchema>;

/** Draft 2020-12; `npx vitest run test/operate/doctor/schema.test.ts -u` writes it anew. */
export function doctorJsonSchema(): object {
  return { ...z.toJSONSchema(doctorReportSchema), title: 'Answer of coupon-cli doctor --json' };
}
