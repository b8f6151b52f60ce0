import type { Place } from '../../campaign/place.ts';
import type { WrongType } from '../../campaign/wrong-type.ts';

/** What the ledger says about an issued coupon. */
export interface IssuedLine {
  userId: string;
  requestedAt: string;
  issuedAt: string;
  expiresAt: string | null;
  usedAt: string | null;
  revokedAt: string | null;
  worker: string;
  fence: number;
  deliveries: number;
}

/** Everything that both stores know about one user of a coupon. A part is null where they know nothing. */
export interface UserFacts {
  couponId: string;
  userId: string;
  /** The first of issued, dead, claimed, waiting; `admitted`: accepted, but in none of them; null: never asked, or refused. */
  place: Place | null;
  /** All places that the user is in; two between commit and acknowledgement. */
  places: Place[];
  admitted: { requestedAt: string | null; requestId: string } | null;
  waiting: { position: number | null; requestedAt: string | null } | null;
  claim: { worker: string; fence: number; deliveries: number; faults: number; leaseUntil: string | null } | null;
  dead: string | null;
  /** The issued hash in Redis, as it stands. */
  hash: Record<string, string> | null;
  /** The key of the issued hash, where it holds another type; null: it does not. */
  occupied: WrongType | null;
  ledger: IssuedLine | null;
}
