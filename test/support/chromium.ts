import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** A Chromium of this machine. There is no test of the page without one, so none at all is a failure and says what to do. */
export function findChromium(vars: NodeJS.ProcessEnv = process.env): string {
  const folders = [...(vars['PATH'] ?? '').split(delimiter), '/usr/bin', '/Applications/Google Chrome.app/Contents/MacOS'];
  const found =
    vars['CHROMIUM_PATH'] ?? folders.flatMap((folder) => [...NAMES, 'Google Chrome'].map((name) => join(folder, name))).find(existsSync);
  if (found === undefined || !existsSync(found)) {
    throw new Error(
      `no Chromium ${found === undefined ? 'found' : `at CHROMIUM_PATH=${found}`}. Install one (Debian: apt-get install -y --no-install-recommends chromium), or set CHROMIUM_PATH to one that is there.`,
    );
  }
  return found;
}

export interface Browser extends AsyncDisposable {
  context: BrowserContext;
}

/** A browser with a profile of its own, that asks nobody for anything. */
export async function openBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'coupon-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    headless: true,
    chromiumSandbox: false,
    viewport: { width: 1280, height: 900 },
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
