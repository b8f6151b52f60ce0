import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import type { BenchRun } from '../../src/bench/run.ts';
import { prepareOut } from '../../src/cli/commands/bench/out.ts';
import type { Browser } from './chromium.ts';

/** The page as `--out` writes it. */
export async function writtenPage(run: BenchRun): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  const write = await prepareOut({ cwd: folder }, folder, false);
  return join(await write(run), 'report.html');
}

/** Opens a page, and keeps what its console says and what it asks the network for. */
export async function openReportPage(
  { context }: Browser,
  path: string,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<{ page: Page; said: string[] }> {
  const page = await context.newPage();
  const said: string[] = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`error: ${error.message}`));
  page.on('request', (request) => request.url().startsWith('file:') || said.push(`request: ${request.url()}`));
  await page.emulateMedia({ colorScheme });
  await page.goto(pathToFileURL(path).href);
  return { page, said };
}
