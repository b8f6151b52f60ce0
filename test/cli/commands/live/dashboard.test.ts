import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import type { StopSignal } from '../../../../src/cli/env.ts';
import type { LiveView } from '../../../../src/operate/live/live-view.ts';
import { findChromium, openBrowser, type Browser } from '../../../support/chromium.ts';
import { at, cli, type CliResult } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { openProxy } from '../../../support/tcp-proxy.ts';
import { request } from 'node:http';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

/** Runs the dashboard while the body looks at it. */
async function during(body: (url: string) => Promise<void>, from = at(stores)): Promise<CliResult> {
  let stop: (signal: StopSignal) => void = () => undefined;
  let done: Promise<void> | undefined;
  const result = await cli(['dashboard', '--port', '0', '--interval', '250ms', '--json', ...from], {
    onListen: (send) => (stop = send),
    onStdout: (line) => {
      done ??= body((JSON.parse(line) as { url: string }).url).finally(() => stop('SIGTERM'));
    },
  });
  await done;
  return result;
}

const statusUnder = (url: string, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request(`${url}/view.json`, { headers: { host } }, (response) => resolve(response.resume().statusCode!));
    asked.once('error', reject).end();
  });

describe('coupon-cli dashboard', () => {
  it('serves one page and its view, and nothing that writes', async () => {
    await stores.seed({ id: 'sale' });
    const result = await during(async (url) => {
      const page = await fetch(url);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; /,
      );
      expect(page.headers.get('x-content-type-options')).toBe('nosniff');
      // Nothing is loaded from elsewhere.
      expect((await page.text()).match(/(?:src|href)="(?!data:)|https?:\/\/(?!www\.w3\.org\/2000\/svg)/g)).toBeNull();
      const view = (await (await fetch(`${url}/view.json`)).json()) as LiveView;
      expect(view.coupons).toMatchObject([{ couponId: 'sale', state: 'open', stock: 100 }]);
      expect((await fetch(`${url}/view.json`, { method: 'POST' })).status).toBe(405);
      expect((await fetch(`${url}/coupons/sale`)).status).toBe(404);
    });
    expect(result).toMatchObject({ exitCode: 0 });
  });

  it('answers under the name of this machine alone', async () => {
    await during(async (url) => {
      const { port } = new URL(url);
      const statuses = [`localhost:${port}`, `127.0.0.1:${port}`, '[::1]', 'evil.example', `localhost.evil.example:${port}`];
      expect(await Promise.all(statuses.map((host) => statusUnder(url, host)))).toEqual([200, 200, 200, 403, 403]);
    });
  });

  it.each([
    [['--host', '0.0.0.0'], 'IDENTITY_NEEDED'],
    [['--port', '70000'], 'BAD_NUMBER'],
    [['--interval', '1ms'], 'BAD_DURATION'],
  ])('refuses %j with 2', async (argv, code) => {
    expect(await cli(['dashboard', ...argv, ...at(stores)])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(code) });
  });

  it('ends with 3 when a store is away at the start', async () => {
    const result = await cli(['dashboard', '--port', '0', '--redis-url', 'redis://127.0.0.1:1', '--database-url', stores.databaseUrl]);
    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
  });
});

const chromium = findChromium();

describe.skipIf(chromium === null)('the dashboard in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser(chromium!);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  /** What the console says, and what is asked of anybody else. */
  const open = async (
    url: string,
    size: { width: number; height: number },
    colorScheme: 'light' | 'dark',
  ): Promise<{ page: Page; said: string[] }> => {
    const page = await browser.context.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => said.push(`error: ${error.message}`));
    page.on('request', (one) => one.url().startsWith(url) || one.url().startsWith('data:') || said.push(`request: ${one.url()}`));
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    await page.goto(url);
    return { page, said };
  };
  const cellsOf = (page: Page, couponId: string): Promise<string[]> =>
    page.evaluate(`[...document.querySelector('tr[data-key="${couponId}"]').children].map((cell) => cell.textContent)`);
  const campaign = async (): Promise<void> => {
    await stores.seed({ id: 'summer', name: '여름맞이 쿠폰', total: 500 });
    await stores.seed({ id: 'script', name: '<script>alert(1)</script><img src=x onerror=alert(1)>' });
    await stores.seed({ id: 'soon', name: 'Winter', opensAt: new Date('2100-01-01T00:00:00Z') });
    await stores.coupons.markSuspect('script', (await stores.ledger.coupon('script'))!.epoch, 'fence');
    const { epoch } = (await stores.ledger.coupon('summer'))!;
    await stores.admission.admit(
      'summer',
      [1, 2, 3, 4].map((n) => ({ userId: `u${n}`, requestId: 'r' })),
    );
    await stores.claims.claim('summer', { epoch, limit: 1, leaseMs: 60_000, worker: 'host-1' });
  };

  it.each([
    [1280, 'light'],
    [390, 'dark'],
  ] as const)('at %i px, in the %s', async (width, colours) => {
    await campaign();
    await during(async (url) => {
      const { page, said } = await open(url, { width, height: 900 }, colours);
      await expect.poll(() => page.locator('tr[data-key="summer"] path').first().getAttribute('d')).toMatch(/^M.+L/);
      expect(await cellsOf(page, 'summer')).toEqual([
        'summer여름맞이 쿠폰',
        'open',
        '496',
        '3',
        '1',
        expect.any(String),
        expect.any(String),
        '0',
        'never',
      ]);
      await stores.admission.admit('summer', [{ userId: 'u5', requestId: 'r' }]);
      await expect.poll(async () => (await cellsOf(page, 'summer'))[3]).toBe('4');
      // A name is text, whatever it holds.
      expect((await cellsOf(page, 'script'))[0]).toBe('script<script>alert(1)</script><img src=x onerror=alert(1)>');
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.locator('#warnings').innerText()).toContain('script: out of service');
      expect(await page.locator('#workers').innerText()).toContain('host-1');
      expect(await page.getByRole('table', { name: 'Coupons' }).getByRole('rowheader').count()).toBe(3);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
        colours === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 26)',
      );
      await page.getByLabel('State').selectOption('scheduled');
      await expect.poll(() => page.locator('#coupons tr').count()).toBe(1);
      await page.getByLabel('State').selectOption('');
      if (process.env['COUPON_TEST_PICTURES'])
        await page.screenshot({ path: `${process.env['COUPON_TEST_PICTURES']}/dashboard-${width}.png`, fullPage: true });
      expect(said).toEqual([]);
      await page.close();
    });
  });

  it('tells a store that is away, and comes back with it', async () => {
    await campaign();
    await using proxy = await openProxy(stores.redisUrl);
    await during(
      async (url) => {
        const { page } = await open(url, { width: 1280, height: 900 }, 'light');
        await expect.poll(() => page.locator('#coupons tr').count()).toBe(3);
        await proxy.cut();
        await expect.poll(() => page.locator('#away').innerText()).toMatch(/^Redis is away, its figures are of .* ago: /);
        expect((await cellsOf(page, 'summer'))[3]).toBe('3');
        await proxy.restore();
        await expect.poll(() => page.locator('#away').isHidden(), { timeout: 30_000 }).toBe(true);
        await page.close();
      },
      at({ redisUrl: proxy.through(stores.redisUrl), databaseUrl: stores.databaseUrl }),
    );
  });
});
