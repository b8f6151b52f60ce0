import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchRun } from '../../../src/bench/run.ts';
import type { DisruptionEvent } from '../../../src/bench/report/report.ts';
import { OUTCOMES } from '../../../src/campaign/outcome.ts';
import { benchRun, type PaperRun } from '../../support/bench-report.ts';
import { findChromium, openBrowser } from '../../support/chromium.ts';
import type { Browser } from '../../support/chromium.ts';
import { openReportPage, writtenPage } from '../../support/report-page.ts';

const chromium = findChromium();
let browser: Browser;

const opened = async (run: BenchRun, scheme: 'light' | 'dark' = 'light') => openReportPage(browser, await writtenPage(run), scheme);

/** Share of the height of a chart over time that is neither grey nor background at a second, 0 to 1. */
function inkAt(page: Page, chart: string, second: number): Promise<number> {
  return page.evaluate(`(() => {
    const plot = document.getElementById('plot-${chart}');
    const canvas = plot.querySelector('.u-wrap canvas');
    const over = plot.querySelector('.u-over');
    const { charts } = JSON.parse(document.getElementById('charts').textContent);
    const [seconds] = charts.find(({ id }) => id === '${chart}').data;
    const x = over.offsetLeft + (${second} / seconds[seconds.length - 1]) * over.clientWidth;
    const { data } = canvas.getContext('2d').getImageData(Math.round(x * devicePixelRatio), over.offsetTop * devicePixelRatio, 1, over.clientHeight * devicePixelRatio);
    let coloured = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red, green, blue, alpha] = data.slice(at, at + 4);
      coloured += alpha > 100 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60 ? 1 : 0;
    }
    return coloured / (data.length / 4);
  })()`);
}

/** What stands before the names of a legend, in grey: for each pair of one chart the share of points that differ. */
function greyDifferences(page: Page): Promise<{ pair: string; share: number }[]> {
  return page.evaluate(`[...document.querySelectorAll('.plot')].flatMap((plot) => {
    const names = [...plot.querySelectorAll('.u-series:not(:first-child) .u-label')].map((label) => label.textContent);
    const greys = [...plot.querySelectorAll('.u-marker canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return Array.from({ length: data.length / 4 }, (_, at) => {
        const [red, green, blue, alpha] = data.slice(4 * at, 4 * at + 4);
        return 255 + ((0.299 * red + 0.587 * green + 0.114 * blue - 255) * alpha) / 255;
      });
    });
    return greys.flatMap((one, at) => greys.slice(at + 1).map((other, next) => ({
      pair: plot.id + ': ' + names[at] + ', ' + names[at + 1 + next],
      share: one.filter((grey, point) => Math.abs(grey - other[point]) > 40).length / one.length,
    })));
  })`);
}

const visibleValues = (page: Page): Promise<number> =>
  page.evaluate(`[...document.querySelectorAll('.u-value')].filter((value) => value.checkVisibility({ visibilityProperty: true })).length`);

/** Of a part of the chart of the queue. */
const widthOf = (page: Page, part: string): Promise<number> => page.evaluate(`document.querySelector('#plot-queue ${part}').clientWidth`);

const DAY: DisruptionEvent[] = [
  { action: 'kill-drain', second: 2, tookSeconds: 0.05 },
  { action: 'kill-serve', second: 2.1, tookSeconds: 1 },
  { action: 'restart-redis', second: 8, tookSeconds: null, why: 'gone' },
];

/** Nobody looked between second 5 and second 8. */
function sampledRun(gap: boolean): BenchRun {
  const run = benchRun({ sampled: true });
  return { ...run, report: { ...run.report, samples: run.report.samples.filter(({ second }) => !gap || second <= 5 || second >= 8) } };
}

/** A run with every outcome there is, as a chart sees it. */
function manyOutcomes(options: PaperRun = {}): BenchRun {
  const run = benchRun(options);
  const timeseries = run.report.timeseries.map((point) => ({
    ...point,
    outcomes: Object.fromEntries(OUTCOMES.map((outcome, index) => [outcome, index + 1])),
  }));
  return { ...run, report: { ...run.report, timeseries } };
}

describe.runIf(chromium !== null)('the charts in a browser', () => {
  beforeAll(async () => {
    browser = await openBrowser(chromium!);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  test('no line is drawn over a gap of the samples', async () => {
    const { page } = await opened(sampledRun(true));
    for (const chart of ['stock-0', 'queue']) {
      expect(await inkAt(page, chart, 6.5), chart).toBe(0);
      expect(await inkAt(page, chart, 4.5), chart).toBeGreaterThan(0);
    }
    expect(await inkAt(page, 'stock-0', 9)).toBeGreaterThan(0);
    expect(await page.locator('#summary-queue').innerText()).toContain('largest gap 3 s');
    await page.close();
  });

  test('where there was no gap, a line is drawn: the test above can fail', async () => {
    const { page } = await opened(sampledRun(false));
    for (const chart of ['stock-0', 'queue']) expect(await inkAt(page, chart, 6.5), chart).toBeGreaterThan(0);
    await page.close();
  });

  test('a value that stands alone between two gaps is drawn as a point', async () => {
    const { page } = await opened(benchRun({ seconds: 60, users: 12_000 }));
    const alone: number = await page.evaluate(`(() => {
      const { data, series } = JSON.parse(document.getElementById('charts').textContent).charts.find(({ id }) => id === 'latency');
      const values = data[1 + series.findIndex(({ label }) => label === 'unavailable p99')];
      return data[0][values.findIndex((value, at) => value !== null && values[at - 1] === null && values[at + 1] === null)];
    })()`);
    // The other lines are switched off.
    for (const label of await page.locator('#plot-latency .u-label', { hasNotText: /unavailable p99|second/ }).all()) await label.click();
    await expect.poll(() => inkAt(page, 'latency', alone)).toBeGreaterThan(0);
    await page.close();
  });

  test('every chart over time marks what was done to the service, at its moment and in words', async () => {
    const { page, said } = await opened(benchRun({ disruptions: DAY }));
    for (const chart of ['outcomes', 'latency', 'stock-0', 'queue']) {
      const marks = page.locator(`#plot-${chart} .fault`);
      expect(await marks.count(), chart).toBe(3);
      // The first two lie so close that they share their words.
      expect(await marks.locator('span').allInnerTexts()).toEqual(['drain killed, serve killed', 'Redis crashed, not back: gone']);
      const [over, crash] = [await page.locator(`#plot-${chart} .u-over`).boundingBox(), await marks.nth(2).boundingBox()];
      const last: number = await page.evaluate(
        `JSON.parse(document.getElementById('charts').textContent).charts.find(({ id }) => id === '${chart}').data[0].at(-1)`,
      );
      expect((crash!.x - over!.x) / over!.width).toBeCloseTo(8 / last, 2);
    }
    expect(await page.locator('#plot-spectrum .fault').count()).toBe(0);
    expect(await page.locator('section', { hasText: 'Disruptions' }).locator('li').allInnerTexts()).toEqual([
      'at 2 s: drain killed, back after 0.05 s',
      'at 2.1 s: serve killed, back after 1 s',
      'at 8 s: Redis crashed, not back: gone',
    ]);
    expect(said).toEqual([]);
    await page.close();
  });

  test('the marks stay at their moments when the window changes', async () => {
    const { page } = await opened(benchRun({ disruptions: DAY }));
    const at = (): Promise<number> =>
      page.evaluate(`(() => {
        const over = document.querySelector('#plot-queue .u-over').getBoundingClientRect();
        const mark = document.querySelectorAll('#plot-queue .fault')[2].getBoundingClientRect();
        return (mark.x - over.x) / over.width;
      })()`);
    const before = await at();
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(() => widthOf(page, '.u-over')).toBeLessThan(300);
    expect(await at()).toBeCloseTo(before, 2);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.close();
  });

  test('the legend has values under the cursor, and none without', async () => {
    const { page } = await opened(benchRun());
    expect(await visibleValues(page)).toBe(0);
    await page.locator('#plot-outcomes .u-over').hover();
    await expect.poll(() => visibleValues(page)).toBeGreaterThan(0);
    await page.mouse.move(0, 0);
    await expect.poll(() => visibleValues(page)).toBe(0);
    await page.close();
  });

  test.each(['light', 'dark'] as const)('on paper (%s scheme): no values, light, nothing cut, and told apart in grey', async (scheme) => {
    const { page, said } = await opened(manyOutcomes({ disruptions: DAY }), scheme);
    // A4 less its margins.
    await page.setViewportSize({ width: 688, height: 971 });
    await page.emulateMedia({ media: 'print', colorScheme: scheme });
    await page.locator('html.paper').waitFor();
    expect(await visibleValues(page)).toBe(0);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(688);
    for (const plot of await page.locator('.uplot').all()) {
      const box = (await plot.boundingBox())!;
      expect(box.x + box.width).toBeLessThanOrEqual(688);
    }
    const alike = (await greyDifferences(page)).filter(({ share }) => share < 0.02).map(({ pair }) => pair);
    expect(alike).toEqual([]);
    expect(said).toEqual([]);
    await page.emulateMedia({ media: 'screen' });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.close();
  });

  test('printing draws the charts for paper, and afterwards for the screen again', async () => {
    const { page } = await opened(benchRun());
    await page.evaluate(`addEventListener('beforeprint', () => {
      document.title = [...document.querySelectorAll('.uplot')].map((plot) => plot.clientWidth).join(' ');
    })`);
    const width = await widthOf(page, '.uplot');
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(await page.title()).toBe('640 640 640 640 640');
    await expect.poll(() => widthOf(page, '.uplot')).toBe(width);
    await page.close();
  });

  test.each([
    ['a desk', 1280, 800],
    ['a phone', 390, 844],
  ])('verdict, five figures and what was put to the test are on the first screen of %s', async (_, width, height) => {
    const { page } = await opened(benchRun({ disruptions: DAY }));
    await page.setViewportSize({ width, height });
    for (const part of ['.verdict', '.tiles > div:last-child', '.exercised']) {
      const box = (await page.locator(part).boundingBox())!;
      expect(box.y + box.height, part).toBeLessThanOrEqual(height);
    }
    expect(await page.locator('.tiles dt').allInnerTexts()).toEqual([
      'requests sent',
      'accepted',
      'p99 of accepted',
      'all issued after',
      'over-issued',
    ]);
    expect(await page.locator('.exercised').innerText()).toBe('7 of 7 checks were put to the test.');
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.close();
  });
});
