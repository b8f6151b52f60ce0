import { statSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { benchRun } from '../../support/bench-report.ts';
import { findChromium, openBrowser } from '../../support/chromium.ts';
import type { Browser } from '../../support/chromium.ts';
import { openReportPage, writtenPage as written } from '../../support/report-page.ts';

const chromium = findChromium();
let browser: Browser;

const opened = (path: string, colorScheme: 'light' | 'dark' = 'light') => openReportPage(browser, path, colorScheme);

const CHARTS = ['outcomes', 'latency', 'spectrum', 'stock-0', 'queue'];

/** Different colours in the plot area of each chart; a blank canvas has one. */
async function coloursDrawn(page: Page): Promise<Record<string, number>> {
  const plots = await page.locator('.plot').all();
  const counted: Record<string, number> = {};
  for (const plot of plots) {
    const id = (await plot.getAttribute('id'))!;
    counted[id.slice('plot-'.length)] = await plot.locator('.u-wrap canvas').evaluate((canvas) => {
      const { width, height } = canvas as unknown as { width: number; height: number };
      const context = (canvas as unknown as Canvas).getContext('2d');
      return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
    });
  }
  return counted;
}

/** What these tests need of a browser's types, which the program itself has no use for. */
interface Canvas {
  getContext(kind: '2d'): { getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray<ArrayBuffer> } };
}

const fits = (page: Page): Promise<boolean> => page.evaluate('document.documentElement.scrollWidth <= innerWidth');
const picture = (page: Page): Promise<string> => page.evaluate('document.querySelector("#plot-outcomes .u-wrap canvas").toDataURL()');

describe.runIf(chromium !== null)('the page in a browser', () => {
  beforeAll(async () => {
    browser = await openBrowser(chromium!);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  test.each(['light', 'dark'] as const)('draws every chart in the %s scheme, silently, and asks nobody', async (scheme) => {
    const { page, said } = await opened(await written(benchRun()), scheme);
    const colours = await coloursDrawn(page);
    expect(Object.keys(colours)).toEqual(CHARTS);
    for (const [chart, count] of Object.entries(colours)) expect(count, chart).toBeGreaterThan(8);
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 26)');
    expect(await fits(page)).toBe(true);
    expect(said).toEqual([]);
    await page.close();
  });

  test('follows the scheme and the width of a window that is open', async () => {
    const { page, said } = await opened(await written(benchRun()));
    const light = await picture(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => picture(page)).not.toBe(light);
    await page.setViewportSize({ width: 400, height: 800 });
    await expect.poll(() => fits(page)).toBe(true);
    expect(said).toEqual([]);
    await page.close();
  });

  test('says for each chart what there is to see, and shows what must hold first', async () => {
    const { page } = await opened(await written(benchRun({ lost: 3 })));
    expect(await page.getByRole('img', { name: 'Stock and issued' }).getAttribute('aria-describedby')).toBe('summary-stock-0');
    const text = await page.locator('body').innerText();
    expect(text).toContain('Broken: coupons went to the wrong users, or were lost.');
    expect(text).toContain('every accepted user has a coupon: 3 users accepted and then lost user-0, user-1, user-2');
    expect(text.indexOf('Integrity')).toBeLessThan(text.indexOf('Charts'));
    await page.close();
  });

  test('takes names for text, whatever they are', async () => {
    const evil = '</script><img src=x onerror=alert(1)><!-- <script> & "quotes"';
    const run = benchRun();
    const report = {
      ...run.report,
      scenario: { ...run.report.scenario, name: evil, description: evil, target: evil },
      coupons: [{ ...run.report.coupons[0]!, couponId: evil }, ...run.report.coupons],
      samples: run.report.samples.map((sample) => ({ ...sample, couponId: evil })),
    };
    const { page, said } = await opened(await written({ ...run, report }));
    expect(await page.locator('h1').innerText()).toBe(evil);
    expect(await page.locator('img, body script:not([id])').count()).toBe(2);
    expect(await page.locator('#title-stock-0').innerText()).toContain(evil);
    expect(said).toEqual([]);
    await page.close();
  });

  test('of a run in which nothing happened is a page all the same', async () => {
    const run = benchRun({ users: 0, total: 0 });
    const { page, said } = await opened(await written({ ...run, report: { ...run.report, samples: [] } }));
    expect(await page.locator('.plot').count()).toBe(0);
    expect(said).toEqual([]);
    await page.close();
  });
});

test('the page of a long run with many requests stays small', async () => {
  const path = await written(benchRun({ users: 100_000, total: 10_000, seconds: 900 }));
  expect(statSync(path).size).toBeLessThan(400_000);
});
