import { describe, expect, it } from 'vitest';
import { withTable } from './docs.ts';
import type { CampaignResult } from './result.ts';
import { tableOf } from './table.ts';

const machine = { cores: 2, node: 'Node 20.0.0', redis: 'Redis 7.0.0', postgres: 'PostgreSQL 15.0' };
const FAULTS = [
  { kind: 'rain', meaning: 'it rains | pours', harmless: true },
  { kind: 'hail', meaning: 'it hails', harmless: true },
  { kind: 'flood', meaning: 'everything is under water', harmless: false },
];

function campaign(kinds: string[], changes: Partial<CampaignResult> = {}): CampaignResult {
  const counts = { accepted: 1_500, lost: 0, duplicates: 0, overIssued: 0, inversions: 0 };
  return { name: 'c', inflicted: kinds.map((kind) => ({ kind, seconds: 1 })), broken: [], counts, loss: null, details: [], ...changes };
}

describe('the table of what was tried', () => {
  it('has a row for each kind that was tried or could not be, and says on what', () => {
    const seeds = [
      { seed: 1, campaigns: [campaign(['rain', 'rain']), campaign(['flood'], { loss: { destroyed: 40, noticed: 'gone' } })] },
      { seed: 2, campaigns: [campaign(['rain'])] },
    ];
    const notRun = [{ kind: 'hail', reason: 'no clouds' }];
    expect(tableOf(FAULTS, { seeds, notRun, machine })).toMatchInlineSnapshot(`
      "Harmless to what the stores had acknowledged: everything is kept.

      | Kind | What happens | Times | Accepted | Lost | Twice | Over-issued | Out of turn | Kept |
      | --- | --- | --: | --: | --: | --: | --: | --: | --: |
      | \`rain\` | it rains \\| pours | 3 | 3,000 | 0 | 0 | 0 | 0 | ✔ |
      | \`hail\` | it hails | not run: no clouds |  |  |  |  |  |  |

      Destructive: acknowledged data is gone.

      | Kind | What happens | Times | Accepted | Destroyed | Lost | Twice | Over-issued | Noticed | Repaired |
      | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |
      | \`flood\` | everything is under water | 1 | 1,500 | 40 | 0 | 0 | 0 | gone | ✔ |

      4 faults in 3 campaigns with 4,500 accepted users; a campaign counts for each kind that it had. Seeds 1, 2; 2 cores, Node 20.0.0, Redis 7.0.0, PostgreSQL 15.0."
    `);
  });

  it('shows a broken promise, and leaves out what nobody asked for', () => {
    const lost = campaign(['rain'], { broken: ['a user is lost'], counts: { ...campaign([]).counts, lost: 1 } });
    const table = tableOf(FAULTS, { seeds: [{ seed: 1, campaigns: [lost, campaign(['rain'])] }], notRun: [], machine });
    expect(table).toContain('| `rain` | it rains \\| pours | 2 | 3,000 | 1 | 0 | 0 | 0 | ✘ in 1 |');
    expect(table).not.toContain('flood');
    expect(table).not.toContain('hail');
  });

  it('takes the place of the one before, between its marks', () => {
    const text = 'before\n<!-- faults:begin -->\nold\n<!-- faults:end -->\nafter\n';
    expect(withTable(text, 'new')).toBe('before\n<!-- faults:begin -->\n\nnew\n\n<!-- faults:end -->\nafter\n');
    expect(() => withTable('no marks', 'new')).toThrow(/no place for the table/);
  });
});
