import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * A Chromium of this machine, or null: the tests of the page are then skipped by name, which CI does not let pass where it can
 * install one (see `scripts/ci-summary.js`).
 *
 * @throws Error when CHROMIUM_PATH names none
 */
export function findChromium(vars: NodeJS.ProcessEnv = process.env): string | null {
  const folders = [...(vars['PATH'] ?? '').split(delimiter), '/usr/bin', '/Applications/Google Chrome.app/Contents/MacOS'];
  const named = vars['CHROMIUM_PATH'];
  if (named) {
    if (!existsSync(named)) throw new Error(`there is no Chromium at CHROMIUM_PATH=${named}`);
    return named;
  }
  return folders.flatMap((folder) => [...NAMES, 'Google Chrome'].map((name) => join(folder, name))).find(isUsable) ?? null;
}

/** An empty file, or a device in its place, is no browser; nor is what we may not look at. */
function isUsable(path: string): boolean {
  try {
    const found = statSync(path);
    return found.isFile() && found.size > 0;
  } catch {
    return false;
  }
}

export interface Browser extends AsyncDisposable {
  context: BrowserContext;
}

/** A browser with a profile of its own, that asks nobody for anything. */
export async function openBrowser(executablePath: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'coupon-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
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
