/**
 * The report as one page that needs nothing else: no network, no fonts, no folder beside it. Its policy lets only the two
 * scripts and the two style sheets run that are in it, by their hashes.
 */
import { createHash } from 'node:crypto';
import type { Latencies } from '../../ports.ts';
import type { BenchReport } from '../report.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { plural } from '../../../lib/text/figures.ts';
import { marksOf, type Chart } from './chart.ts';
import { latencyChart, outcomesChart, spectrumChart } from './load-charts.ts';
import { inlineJson, markup, Markup } from './markup.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import { requestsText } from '../requests.ts';
import { couponsText } from '../shown-checks.ts';
import { exercised, reply, rounds, tiles, verdict } from './first-screen.ts';
import { coupons, disruptions, environment, generator, integrity, notes, outcomes, requests, thresholds, throughput } from './sections.ts';
import { queueChart, stockCharts } from './store-charts.ts';

/** uPlot's own files, as text. */
export interface PageAssets {
  script: string;
  style: string;
}

/** @param latencies from when each request was due, for the spectrum */
export function htmlReport(report: BenchReport, latencies: Pick<Latencies, 'value'>, assets: PageAssets): string {
  const { scenario } = report;
  const charts = chartsOf(report, latencies);
  const sale = couponsText(scenario.coupons);
  const took = formatDuration(Math.round(report.throughput.seconds * 1_000));
  const page = markup`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy([assets.script, PAGE_SCRIPT], [assets.style, PAGE_STYLE])}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${scenario.name} · bench</title>
    <style>${new Markup(assets.style)}</style>
    <style>${new Markup(PAGE_STYLE)}</style>
  </head>
  <body>
    <header>
      <h1>${scenario.name}</h1>
      <p>${scenario.description}</p>
      <p class="dim">
        ${sale}; ${plural(scenario.users, 'user')}, ${requestsText(report)} in ${took} → <code>${scenario.target}</code>,
        ${dateText(report.startedAt)}
      </p>
      ${[verdict(report), rounds(report), tiles(report), exercised(report), reply(report)]}
    </header>
    <main>
      ${[integrity(report), thresholds(report), disruptions(report), notes(report)]}
      ${charts.length === 0 ? new Markup('') : chartSection(charts)}
      ${[requests(report), outcomes(report), throughput(report), coupons(report), generator(report), environment(report)]}
    </main>
    <footer>Written by coupon-cli bench. Beside it, report.json has all figures.</footer>
    <script id="charts" type="application/json">${inlineJson({ charts, marks: marksOf(report) })}</script>
    <script>${new Markup(assets.script)}</script>
    <script>${new Markup(PAGE_SCRIPT)}</script>
  </body>
</html>
`;
  return page.text;
}

function chartsOf(report: BenchReport, latencies: Pick<Latencies, 'value'>): Chart[] {
  const charts = [
    outcomesChart(report),
    latencyChart(report),
    spectrumChart(report, latencies),
    ...stockCharts(report),
    queueChart(report),
  ];
  return charts.filter((chart) => chart !== null).filter((chart) => chart.series.length > 0);
}

function chartSection(charts: readonly Chart[]): Markup {
  return markup`<section>
    <h2>Charts</h2>
    <div class="charts">${charts.map(figureOf)}</div>
  </section>`;
}

function figureOf({ id, title, summary }: Chart): Markup {
  return markup`<figure>
    <figcaption>
      <h3 id="title-${id}">${title}</h3>
      <p id="summary-${id}">${summary}</p>
    </figcaption>
    <div class="plot" id="plot-${id}" role="img" aria-labelledby="title-${id}" aria-describedby="summary-${id}"></div>
  </figure>`;
}

function policy(scripts: readonly string[], styles: readonly string[]): string {
  const hashes = (texts: readonly string[]): string =>
    texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
  return `default-src 'none'; script-src ${hashes(scripts)}; style-src ${hashes(styles)}; base-uri 'none'; form-action 'none'`;
}

/** `2026-11-29 06:14:21 UTC`. */
function dateText(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}
