import type { AuditPorts } from './ports.ts';
import type { RollCall } from './reconcile/missing-users.ts';
import type { AuditNotes } from './notes.ts';
import type { Suspects } from './suspects.ts';

/** What all walks over the users of one coupon share. */
export interface Walk {
  ports: AuditPorts;
  couponId: string;
  suspects: Suspects;
  notes: AuditNotes;
  /** Users that the walks have seen, each at their place. */
  roll: RollCall;
  /** Hears how many users were just looked at; nearly everybody is looked at once. */
  looked(users: number): void;
}
