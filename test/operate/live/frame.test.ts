import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { painter } from '../../../src/lib/text/style.ts';
import { widthOf } from '../../../src/lib/text/width.ts';
import { frameOf, type FrameOptions } from '../../../src/operate/live/frame.ts';
import { reading, START, viewAfter, type Given } from './readings.ts';

const PLAIN = painter(false);
const AT: FrameOptions = { width: 80, height: 24, offset: 0, states: [], zone: 'UTC', keys: 'q quit' };

const frame = (coupons: readonly Given[], options: Partial<FrameOptions> = {}) =>
  frameOf(viewAfter([reading(0, coupons), reading(1, coupons)]), { ...AT, ...options }, PLAIN);
const many = (count: number): Given[] => Array.from({ length: count }, (_, i) => ({ id: `c${String(i).padStart(2, '0')}` }));

describe('a frame', () => {
  it('at 80 columns', () => {
    const leases = [{ worker: 'host-1', fence: 3, users: 100, deadlineMs: START + 21_000 }];
    const { lines } = frame(
      [
        { id: 'summer', name: '여름맞이 쿠폰', waiting: 1_000_000, claimed: 100, oldestMs: 65_000, stock: 0, leases },
        { id: 'winter', name: 'Winter', ledger: { opensAt: new Date(START + 5_000) } },
        { id: 'old', suspect: 'fence' },
      ],
      { height: 14 },
    );
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "3 coupons, 1,000,000 waiting, 0 accepted/s, 0 issued/s   2026-01-01 00:00:01 UTC

      COUPON  STATE      STOCK    WAITING     OLDEST  ACC/S            ISS/S
      old     suspect      100          0          –      0         ▁      0         ▁
      summer  sold out       0  1,000,000  1 min 5 s      0         ▁      0         ▁
      winter  scheduled    100          0          –      0         ▁      0         ▁

      WORKER  HOLDS  LEASE  ISSUED  COUPONS
      host-1    100   20 s       –  summer

      ! old: out of service: Redis is behind the ledger: it lost data, or was restore…


      q quit"
    `);
  });

  it('at 40 columns keeps what matters most', () => {
    const { lines } = frame([{ id: 'a-coupon-with-a-long-id', waiting: 1_000_000, oldestMs: 65_000 }], { width: 40, height: 8 });
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "1 coupon, 1,000,000 waiting, 0 accepted…

      COUPON           STATE  STOCK    WAITING
      a-coupon-with-…  open     100  1,000,000



      q quit"
    `);
  });

  it('aligns Hangul by its width', () => {
    const { lines } = frame(
      [
        { id: 'a', name: '여름맞이 쿠폰' },
        { id: 'b', name: 'Summer coupon' },
      ],
      { width: 120 },
    );
    const before = (id: string): number => {
      const line = lines.find((one) => one.startsWith(id))!;
      return widthOf(line.slice(0, line.indexOf('open')));
    };
    expect(before('a')).toBe(before('b'));
  });

  it('fits every screen, whatever names, ids and numbers there are', () => {
    const coupon = fc.record({
      id: fc.stringMatching(/^[a-z0-9]{1,64}$/),
      name: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('쿠폰 이벤트'), fc.constant('\u001b[2J\nx')),
      waiting: fc.nat(),
      dead: fc.nat(3),
      stock: fc.nat(),
    });
    fc.assert(
      fc.property(
        fc.array(coupon, { maxLength: 30 }),
        fc.integer({ min: 20, max: 200 }),
        fc.integer({ min: 4, max: 50 }),
        (all, width, height) => {
          const { lines } = frame(all, { width, height });
          expect(lines).toHaveLength(height);
          for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it('scrolls no further than the last page, and says where it is', () => {
    const options = { height: 10 };
    expect(frame(many(20), options).lines.at(-1)).toBe('coupons 1–6 of 20; q quit, ↑↓ scroll');
    const end = frame(many(20), { ...options, offset: 1_000 });
    expect([end.offset, end.page]).toEqual([14, 6]);
    expect(end.lines.at(-1)).toBe('coupons 15–20 of 20; q quit, ↑↓ scroll');
    expect(end.lines.join('\n')).toMatch(/c19 /);
    expect(frame(many(3), { ...options, offset: 5 }).offset).toBe(0);
  });

  it('leaves a small screen to the coupons before workers and warnings', () => {
    const broken = many(9).map((coupon) => ({ ...coupon, suspect: 'fence' }));
    const { lines } = frame(broken, { height: 9 });
    expect(lines.filter((line) => /^c\d/.test(line))).toHaveLength(3);
    expect(frame(broken, { height: 20 }).lines).toContain('… and 5 more');
  });

  it('shows the states that were asked for, and says when there are none', () => {
    const coupons = [{ id: 'a' }, { id: 'b', state: 'paused' }];
    expect(frame(coupons, { states: ['paused'] }).lines.filter((line) => /^[ab] /.test(line))).toEqual([expect.stringMatching(/^b /)]);
    expect(frame(coupons, { states: ['ended'] }).lines).toContain('no coupon is ended; there are 2 coupons in all');
    expect(frame([]).lines.join('\n')).toContain('no coupons yet; `coupon-cli seed');
  });

  it('tells a store that is away, in one line', () => {
    const view = viewAfter([reading(0, many(1)), { ...reading(3, many(1)), redis: { problem: 'Redis at h cannot be reached' } }]);
    expect(frameOf(view, AT, PLAIN).lines[1]).toBe('Redis is away, its figures are of 3 s ago: Redis at h cannot be reached');
  });

  it('is as long as it takes off a screen, with no keys', () => {
    const { lines } = frame(many(40), { height: null });
    expect(lines.filter((line) => line.startsWith('c'))).toHaveLength(40);
    expect(lines.join('\n')).not.toContain('quit');
  });
});
