/**
 * Looks of the report page. The colours of the series are those of Okabe and Ito (jfly.uni-koeln.de/color), which people with
 * any kind of colour vision can tell apart; a few are lighter in the dark. Paper is always light.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f8; --text: #1b1f23; --dim: #5b6570; --line: #d9dee3; --grid: #e8ebee;
  --good: #00684a; --bad: #b3261e; --open: #8a5a00; --fault: #8c1d40; --outage: #8c1d4026;
  --accepted: #009e73; --duplicate: #0072b2; --sold-out: #e69f00; --not-open: #cc79a7; --unknown-coupon: #b8a700;
  --unavailable: #56b4e9; --unexpected: #d55e00; --unknown: #1b1f23; --unsent: #8a929a;
  --refused: #7a5c00; --rate-limited: #8f6bb3; --queued: #2a9d9d; --repeat: #5577aa; --busy: #a8577e;
  --not-yet-open: #b48ac8; --closed: #6e5a4a;
}
@media screen and (prefers-color-scheme: dark) {
  :root:not(.paper) {
    --page: #14171a; --panel: #1c2024; --text: #e6e9ec; --dim: #9aa4ae; --line: #343b42; --grid: #262c32;
    --good: #35c494; --bad: #ff8a7a; --open: #f0b93f; --fault: #ff9ec0; --outage: #ff9ec030;
    --accepted: #1fbf8f; --duplicate: #3d9be0; --unknown-coupon: #f0e442; --unexpected: #f0742a; --unknown: #e6e9ec; --unsent: #78828c;
    --closed: #b09a86;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 78rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 2.25rem 0 .6rem; font-size: 1.1rem; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; }
p { margin: .35rem 0; }
.dim { color: var(--dim); }
.verdict { margin: 1.25rem 0 0; padding: .8rem 1rem; background: var(--panel); border-left: .35rem solid var(--dim); font-size: 1.05rem; overflow-wrap: anywhere; }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); } .verdict.open { border-color: var(--open); }
.good > .mark { color: var(--good); } .bad > .mark { color: var(--bad); } .open > .mark { color: var(--open); }
dl.tiles { grid-template-columns: repeat(5, 1fr); gap: .6rem; margin: .8rem 0 0; }
.tiles > div { padding: .55rem .8rem; background: var(--panel); border-radius: .4rem; }
.tiles dt { font-size: .82rem; } .tiles dd { font-size: 1.3rem; font-weight: 600; } .tiles .bad dd { color: var(--bad); }
.exercised { margin-top: .8rem; }
.mark { font-weight: 700; margin-right: .4rem; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: .12rem 0; }
code { font: .92em ui-monospace, "SF Mono", "Cascadia Mono", Menlo, monospace; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table.figures { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.figures th, .figures td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
.figures th:first-child, .figures td:first-child, .figures .left { text-align: left; }
.figures th { color: var(--dim); font-weight: 500; font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1.25rem; }
figure { margin: 0; padding: 1rem 1rem .7rem; background: var(--panel); border-radius: .4rem; min-width: 0; }
figcaption p { color: var(--dim); font-size: .87rem; margin: .15rem 0 .6rem; }
.plot .u-legend { margin: .3rem 0 0; text-align: left; font-size: .82rem; font-variant-numeric: tabular-nums; }
.plot .u-legend tbody { display: flex; flex-wrap: wrap; }
.plot .u-legend th, .plot .u-legend td { padding: .05rem .25rem; font-weight: 400; }
.plot .u-legend .u-series { margin-right: .5rem; }
.plot .u-legend .u-series:first-child { order: 1; }
.plot .u-legend .u-value { min-width: 3.2em; display: inline-block; }
.plot .u-legend .u-marker { width: 28px; height: 10px; margin-right: .35rem; }
.u-legend .u-marker canvas { display: block; width: 28px; height: 10px; }
.plot .u-series:first-child .u-marker { display: none; }
.uplot:not(.reading) .u-value, .uplot:not(.reading) .u-series:first-child { visibility: hidden; }
.plot .uplot:not(.reading) .u-legend th::after { content: none; }
.fault { position: absolute; top: 0; bottom: 0; border-left: 1.5px dashed var(--fault); background: var(--outage); pointer-events: none; }
.fault span { position: absolute; top: 2px; left: 1px; max-height: calc(100% - 4px); overflow: hidden; white-space: nowrap; text-overflow: ellipsis;
  writing-mode: vertical-rl; transform: rotate(180deg); text-align: right; font-size: 11px; line-height: 12px; color: var(--fault);
  text-shadow: 0 0 2px var(--panel), 0 0 2px var(--panel), 0 0 3px var(--panel); }
.fault .before { left: -14px; }
footer { margin-top: 2.5rem; color: var(--dim); font-size: .85rem; }
@media (max-width: 40rem) {
  dl.tiles { grid-template-columns: 1fr 1fr; }
  .tiles > :last-child { grid-column: 1 / -1; }
}
@page { margin: 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 13px; }
  h2 { break-after: avoid; }
  figure, li, tr, .verdict, .tiles > div { break-inside: avoid; }
  .verdict, .tiles > div, figure { border-top: 1px solid var(--line); border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); }
  .tiles > div, figure { border-left: 1px solid var(--line); }
  .charts { display: block; } figure { margin-bottom: 1rem; padding: .6rem .8rem; }
  .scroll { overflow: visible; } .figures th, .figures td { padding-right: .6rem; white-space: normal; }
  .plot .u-value, .plot .u-series:first-child { display: none; }
  .plot .u-legend th::after { content: none; }
  .fault { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
