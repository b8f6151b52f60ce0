/** The dashboard as one page that needs no network and no build: its policy lets only the script and the style run that are in it. */
import { createHash } from 'node:crypto';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Content-Security-Policy, to be sent as a header: `frame-ancestors` counts only there. */
export const POLICY = [
  "default-src 'none'",
  `script-src ${hash(SCRIPT)}`,
  `style-src ${hash(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const head = (names: readonly string[], left: readonly number[]): string =>
  names.map((name, i) => `<th scope="col" role="columnheader"${left.includes(i) ? ' class="left"' : ''}>${name}</th>`).join('');

/** @param intervalMs between two looks */
export function dashboardPage(intervalMs: number): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href="data:," />
    <title>coupon-cli dashboard</title>
    <style>${STYLE}</style>
  </head>
  <body data-interval="${intervalMs}">
    <header>
      <h1>Campaigns</h1>
      <p class="dim" id="at"></p>
      <p id="away" role="status" hidden></p>
      <noscript><p>This page needs JavaScript to show figures; <code>coupon-cli top</code> shows them in a terminal.</p></noscript>
    </header>
    <main>
      <dl id="totals">
        <div><dt>Coupons</dt><dd id="t-coupons">–</dd></div>
        <div><dt>Waiting</dt><dd id="t-waiting">–</dd></div>
        <div><dt>Held by workers</dt><dd id="t-held">–</dd></div>
        <div><dt>Accepted/s</dt><dd id="t-accepted">–</dd></div>
        <div><dt>Issued/s</dt><dd id="t-issued">–</dd></div>
      </dl>
      <div id="filter"><label for="state">State</label><select id="state"><option value="" data-key="">all</option></select></div>
      <section id="warned" hidden><h2>Warnings</h2><ul id="warnings"></ul></section>
      <table role="table">
        <caption>Coupons</caption>
        <thead role="rowgroup"><tr role="row">${head(
          ['Coupon', 'State', 'Stock', 'Waiting', 'Held', 'Oldest', 'Accepted/s', 'Issued/s', 'Time left'],
          [0, 1],
        )}</tr></thead>
        <tbody id="coupons" role="rowgroup"></tbody>
      </table>
      <p class="dim" id="none" hidden></p>
      <table role="table" id="worker-table" hidden>
        <caption>Workers</caption>
        <thead role="rowgroup"><tr role="row">${head(['Worker', 'Holds', 'Lease', 'Last issued', 'Coupons'], [0, 4])}</tr></thead>
        <tbody id="workers" role="rowgroup"></tbody>
      </table>
    </main>
    <footer>Read only. Rates are those of the last ten seconds, lines those of the last sixty looks.</footer>
    <script>${SCRIPT}</script>
  </body>
</html>
`;
}
