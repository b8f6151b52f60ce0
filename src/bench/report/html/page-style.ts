/**
 * Looks of the report page. The colours of the series are those of Okabe and Ito (jfly.uni-koeln.de/color), which people with
 * any kind of colour vision can tell apart; a few are lighter in the dark.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f8; --text: #1b1f23; --dim: #5b6570; --line: #d9dee3; --grid: #e8ebee;
  --good: #00684a; --bad: #b3261e; --open: #8a5a00;
  --accepted: #009e73; --duplicate: #0072b2; --sold-out: #e69f00; --not-open: #cc79a7; --unknown-coupon: #b8a700;
  --unavailable: #56b4e9; --unexpected: #d55e00; --unknown: #1b1f23; --unsent: #8a929a;
  --refused: #7a5c00; --rate-limited: #8f6bb3; --queued: #2a9d9d; --repeat: #5577aa; --busy: #a8577e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --panel: #1c2024; --text: #e6e9ec; --dim: #9aa4ae; --line: #343b42; --grid: #262c32;
    --good: #35c494; --bad: #ff8a7a; --open: #f0b93f;
    --accepted: #1fbf8f; --duplicate: #3d9be0; --unknown-coupon: #f0e442; --unexpected: #f0742a; --unknown: #e6e9ec; --unsent: #78828c;
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
.verdict { margin: 1.25rem 0 0; padding: .8rem 1rem; background: var(--panel); border-left: .35rem solid var(--dim); font-size: 1.05rem; }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); } .verdict.open { border-color: var(--open); }
.good > .mark { color: var(--good); } .bad > .mark { color: var(--bad); } .open > .mark { color: var(--open); }
dl.tiles { grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: .8rem 0 0; }
.tiles > div { padding: .55rem .8rem; background: var(--panel); border-radius: .4rem; }
.tiles dt { font-size: .82rem; } .tiles dd { font-size: 1.3rem; font-weight: 600; } .tiles .bad dd { color: var(--bad); }
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
.plot .u-legend th, .plot .u-legend td { padding: .05rem .25rem; font-weight: 400; }
.plot .u-legend .u-value { min-width: 3.2em; display: inline-block; }
.plot .u-marker { width: 1.6em; height: 0; }
footer { margin-top: 2.5rem; color: var(--dim); font-size: .85rem; }
@media print { body { max-width: none; padding: 0; } figure { break-inside: avoid; } }
`;
