export interface Inflicted {
  kind: string;
  seconds: number;
}

/** What became of users and issued coupons, over both coupons of a campaign. */
export interface Counts {
  /** Users who were told "accepted". */
  accepted: number;
  lost: number;
  duplicates: number;
  overIssued: number;
  /** Served after somebody who asked later. */
  inversions: number;
}

/** What a blow took with it. */
export interface Loss {
  /** Users whom neither store knew any more afterwards. */
  destroyed: number;
  /** What the program had to notice, and did: a coupon is gone from Redis, or suspect; null: neither store is behind the other. */
  noticed: 'gone' | 'suspect' | null;
}

export interface CampaignResult {
  name: string;
  inflicted: Inflicted[];
  /** What was broken, a line each; none: every promise was kept. */
  broken: string[];
  counts: Counts;
  /** Null for harmless faults. */
  loss: Loss | null;
  /** For whoever looks for the cause: what is known of the users concerned. */
  details: string[];
}
