/** Looks of the dashboard. Contrast of text is at least 4.5:1 in light and in dark (WCAG 2.2, 1.4.3). */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f8; --text: #1b1f23; --dim: #5b6570; --line: #d9dee3;
  --good: #00684a; --bad: #b3261e; --warn: #8a5a00; --accepted: #00684a; --issued: #0b5cad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --panel: #1c2024; --text: #e6e9ec; --dim: #9aa4ae; --line: #343b42;
    --good: #35c494; --bad: #ff8a7a; --warn: #f0b93f; --accepted: #35c494; --issued: #6fb4ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 84rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK KR", sans-serif; }
h1 { margin: 0; font-size: 1.4rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
.dim { color: var(--dim); }
#away { margin: .8rem 0 0; padding: .6rem .9rem; background: var(--panel); border-left: .35rem solid var(--bad); overflow-wrap: anywhere; }
#totals { display: grid; grid-template-columns: repeat(5, 1fr); gap: .6rem; margin: 1rem 0 0; }
#totals > div { padding: .5rem .8rem; background: var(--panel); border-radius: .4rem; }
#totals dt { color: var(--dim); font-size: .85rem; }
#totals dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; }
#filter { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin: 1.2rem 0 0; }
select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: .3rem; padding: .15rem .4rem; }
:focus-visible { outline: 2px solid var(--issued); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: 1.1rem; font-weight: 600; padding: 1.4rem 0 .4rem; }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); text-align: right; vertical-align: middle; white-space: nowrap; }
thead th { color: var(--dim); font-weight: 500; font-size: .85rem; }
th.left, td.left { text-align: left; }
tbody th { font-weight: 600; white-space: normal; overflow-wrap: anywhere; }
tbody th .name { display: block; font-weight: 400; color: var(--dim); }
.state { font-weight: 600; }
.state.open { color: var(--good); } .state.bad { color: var(--bad); } .state.warn { color: var(--warn); } .state.over { color: var(--dim); }
svg.line { display: inline-block; vertical-align: middle; width: 96px; height: 22px; margin-left: .5rem; overflow: visible; }
svg.line path { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
svg.accepted path { stroke: var(--accepted); } svg.issued path { stroke: var(--issued); }
ul { margin: 0; padding: 0; list-style: none; }
#warnings li { padding: .35rem 0 .35rem .8rem; border-left: .25rem solid var(--warn); margin-bottom: .35rem; overflow-wrap: anywhere; }
#warnings .fix { color: var(--dim); display: block; }
footer { margin-top: 2.5rem; color: var(--dim); font-size: .85rem; }
@media (max-width: 60rem) {
  #totals { grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); }
  table, tbody { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { display: grid; grid-template-columns: 1fr 1fr; gap: .1rem 1rem; padding: .7rem 0; border-bottom: 1px solid var(--line); }
  tbody th { grid-column: 1 / -1; }
  tbody th, tbody td { border: 0; padding: .1rem 0; text-align: left; white-space: normal; display: flex; flex-wrap: wrap; gap: 0 .5rem; align-items: center; }
  tbody td::before { content: attr(data-label); color: var(--dim); font-size: .85rem; min-width: 5rem; }
  caption { display: block; }
}
`;
