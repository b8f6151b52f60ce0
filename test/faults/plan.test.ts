import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import { planCampaigns, type Plannable } from './plan.ts';
import { seededRandom, shuffled } from './random.ts';

const HARMLESS = Array.from({ length: 25 }, (_, index) => `harmless-${index}`);
const DESTRUCTIVE = ['flood', 'fire'];
const plain = (kind: string, harmless: boolean): Plannable => ({ kind, on: 'plain', harmless });
const kinds = [...HARMLESS.map((kind) => plain(kind, true)), ...DESTRUCTIVE.map((kind) => plain(kind, false))];

describe('the plan of a seed', () => {
  const plan = planCampaigns(7, kinds, 5);
  const faults = plan.flatMap((campaign) => campaign.faults);

  it('is the same each time, and another one for another seed', () => {
    expect(planCampaigns(7, kinds, 5)).toEqual(plan);
    expect(planCampaigns(8, kinds, 5).map((campaign) => campaign.faults)).not.toEqual(plan.map((campaign) => campaign.faults));
  });

  it('has at least sixty harmless faults in five minutes, each kind as often as any other, give or take one', () => {
    const times = HARMLESS.map((kind) => faults.filter((fault) => fault.kind === kind).length);
    expect(times.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(60);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
    expect(Math.min(...times)).toBeGreaterThan(0);
  });

  it('has each destructive kind once, alone in its campaign and after all the others', () => {
    const alone = plan.slice(-DESTRUCTIVE.length).map((campaign) => campaign.faults.map(({ kind }) => kind));
    expect(alone.toSorted()).toEqual([['fire'], ['flood']]);
    expect(
      plan
        .slice(0, -DESTRUCTIVE.length)
        .flatMap((campaign) => campaign.faults)
        .some(({ kind }) => DESTRUCTIVE.includes(kind)),
    ).toBe(false);
  });

  it('strikes on each ground what can happen there, and nothing else', () => {
    const elsewhere: Plannable[] = [
      { kind: 'storm', on: 'pooler', harmless: true },
      { kind: 'frost', on: 'pooler', harmless: true },
      { kind: 'quake', on: 'standby', harmless: false },
    ];
    const campaigns = planCampaigns(7, [...kinds, ...elsewhere], 5);
    const struck = (on: string) =>
      campaigns.filter((campaign) => campaign.on === on).flatMap((campaign) => campaign.faults.map(({ kind }) => kind));
    expect(struck('pooler').toSorted()).toEqual(['frost', 'frost', 'storm', 'storm']);
    expect(struck('standby')).toEqual(['quake']);
    expect(struck('plain').toSorted()).toEqual(faults.map(({ kind }) => kind).toSorted());
  });

  it('lets one coupon of each campaign last, and not always the same one', () => {
    for (const { totals, lasting } of plan) expect(totals[lasting]).toBeGreaterThan(totals[1 - lasting]!);
    expect(new Set(plan.map(({ lasting }) => lasting)).size).toBe(2);
  });

  it('grows with the time there is', () => {
    expect(planCampaigns(7, kinds, 20).flatMap((campaign) => campaign.faults).length).toBeGreaterThan(3 * faults.length);
    expect(planCampaigns(7, [plain('one', true)], 0.1)).toHaveLength(1);
    expect(planCampaigns(7, [plain('fire', false)], 5).flatMap((campaign) => campaign.faults)).toHaveLength(1);
  });
});

describe('numbers from a seed', () => {
  it('repeat, stay within their bounds and reach both ends', () => {
    const numbers = Array.from(
      { length: 200 },
      (
        (random) => () =>
          random.int(3, 6)
      )(seededRandom(1)),
    );
    expect(numbers).toEqual(
      Array.from(
        { length: 200 },
        (
          (random) => () =>
            random.int(3, 6)
        )(seededRandom(1)),
      ),
    );
    expect([...new Set(numbers)].toSorted()).toEqual([3, 4, 5, 6]);
  });

  it('shuffle without losing anything', () => {
    expect(shuffled(HARMLESS, seededRandom(2)).toSorted()).toEqual(HARMLESS.toSorted());
    expect(shuffled(HARMLESS, seededRandom(2))).not.toEqual(HARMLESS);
  });
});

describe('the options', () => {
  const parse = (...argv: string[]) => parseOptions(argv, ['flood', 'fire'], () => 42);

  it('are a drawn seed and five minutes, unless others are given', () => {
    expect(parse()).toEqual({ seeds: [42], minutes: 5, only: [], abreast: 1, docs: false });
    expect(parse('--seed', '1,2', '--seed', '3', '--minutes', '0.5', '--only', 'fire', '--abreast', '2', '--docs')).toEqual({
      seeds: [1, 2, 3],
      minutes: 0.5,
      only: ['fire'],
      abreast: 2,
      docs: true,
    });
  });

  it('are refused when they make no sense', () => {
    expect(() => parse('--seed', 'x')).toThrow(/--seed/);
    expect(() => parse('--seed', '-1')).toThrow(/--seed|ambiguous/);
    expect(() => parse('--minutes', '0')).toThrow(/--minutes/);
    expect(() => parse('--only', 'water')).toThrow(/there is no kind "water"; there are flood, fire/);
    expect(() => parse('--fast')).toThrow(/--fast/);
  });
});
