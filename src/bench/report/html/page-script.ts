import { MARK_SCRIPT } from './mark-script.ts';
import { SWATCH_SCRIPT } from './swatch-script.ts';

/**
 * The script of the report page: draws each chart of the page's data with uPlot, in the colours of the scheme, and again when
 * scheme or width change or the page goes to paper. Plain JavaScript for browsers, kept as text because the page has to carry it along.
 */
export const PAGE_SCRIPT = `'use strict';
(() => {
  const { charts, marks } = JSON.parse(document.getElementById('charts').textContent);
  const root = document.documentElement;
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const plain = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
  const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
  const figure = (value) => (Math.abs(value) < 100 ? plain : whole).format(value);
  const share = (nines) => (nines === 0 ? '0' : figurePercent(nines)) + ' %';
  const figurePercent = (nines) => String(Number((100 * (1 - 10 ** -nines)).toFixed(Math.max(0, Math.ceil(nines) - 1))));
  /** On paper nothing moves: a width that fits A4 and Letter, light colours, and no values under a cursor. */
  const PAPER_WIDTH = 640;
  const HEIGHT = 310;
  let paper = false;
${SWATCH_SCRIPT}
${MARK_SCRIPT}
  /** 1, 2, 3, … 9, 10, 20, … between the ends of a logarithmic axis. */
  const decades = (_plot, _axis, low, high) => {
    const at = [];
    for (let ten = 10 ** Math.floor(Math.log10(low)); ten <= high; ten *= 10) {
      for (let times = 1; times < 10; times += 1) if (times * ten >= low && times * ten <= high) at.push(Number((times * ten).toPrecision(2)));
    }
    return at;
  };

  /** Parts of a whole become sums; the legend goes on to show the parts. A gap stays one. */
  const drawn = ({ stacked, data }) => {
    if (!stacked) return data;
    const sums = data[0].map(() => 0);
    return [data[0], ...data.slice(1).map((list) => list.map((value, at) => (value == null ? null : (sums[at] += value))))];
  };

  /** Where points are too dense to be drawn, those between two gaps still are: no line shows them. */
  const lonely = (plot, series, all) => {
    if (all) return null;
    const list = plot.data[series];
    return list.flatMap((value, at) => (value != null && list[at - 1] == null && list[at + 1] == null ? [at] : []));
  };

  const optionsOf = (chart, width) => {
    const { x, y, stacked, data } = chart;
    const axis = { stroke: css('--dim'), grid: { stroke: css('--grid'), width: 1 }, ticks: { stroke: css('--line'), width: 1 }, font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif' };
    const nines = x === 'nines';
    const ends = data[0].length ? [data[0][data[0].length - 1]] : [];
    const last = Math.max(0, ...ends, ...(nines ? [] : marks.map((mark) => mark.until))) || 1;
    // The left ends of this axis lie close together.
    const low = (0.30103 / last) * width > 60 ? 0 : 0.30103;
    const valueOf = (_plot, _value, series, at) => (at == null || data[series][at] == null ? '–' : figure(data[series][at]));
    return {
      width,
      height: HEIGHT,
      padding: [8, nines ? 28 : 12, 0, 0],
      cursor: { sync: nines ? undefined : { key: 'seconds', scales: ['x', null] }, points: { size: 6 } },
      scales: {
        x: { time: false, range: () => [0, last] },
        y: y.log ? { distr: 3, range: (_plot, low, high) => (low > 0 ? [low / 1.25, high * 1.25] : [1, 10]) } : { range: (_plot, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        nines
          ? { ...axis, label: 'percentile', splits: () => [low, 0.30103, 1, 2, 3, 4, 5, 6, 7].filter((at, place, all) => at <= last && all.indexOf(at) === place), values: (_plot, at) => at.map(share) }
          : { ...axis, label: 'seconds since the load began' },
        { ...axis, label: y.label, size: 64, ...(y.log ? { splits: decades, filter: (_plot, at) => at.map((value) => ('125'.includes(value.toExponential()[0]) ? value : null)) } : {}), values: (_plot, at) => at.map((value) => (value == null ? '' : figure(value))) },
      ],
      legend: { markers: { width: 0, fill: () => 'transparent' } },
      series: [
        { label: nines ? 'percentile' : 'second', value: (_plot, value) => (value == null ? '–' : nines ? share(value) : figure(value)) },
        ...chart.series.map(({ label, colour, dash, width: line }, at) => ({
          label,
          // Areas have no outline: that of an empty part would lie on the part below.
          stroke: stacked ? 'transparent' : css(colour),
          width: stacked ? 0 : line,
          dash,
          fill: stacked ? areaOf(css(colour), at) : undefined,
          value: valueOf,
          points: stacked ? { show: false } : { size: 4, fill: css(colour), filter: lonely },
        })),
      ],
      bands: stacked ? chart.series.slice(1).map((_series, at) => ({ series: [at + 2, at + 1] })) : [],
      hooks: {
        ready: [(plot) => addSwatches(plot, chart)],
        draw: nines ? [] : [placeMarks],
        // Without a cursor the legend has names and no values.
        setCursor: [(plot) => plot.root.classList.toggle('reading', plot.cursor.idx != null)],
      },
    };
  };

  const plots = new Map();
  const hostOf = (id) => document.getElementById('plot-' + id);
  const widthOf = (id) => (paper ? PAPER_WIDTH : hostOf(id).clientWidth);
  const draw = (chart) => {
    plots.get(chart.id)?.destroy();
    plots.set(chart.id, new uPlot(optionsOf(chart, widthOf(chart.id)), drawn(chart), hostOf(chart.id)));
  };
  const drawAll = () => charts.forEach(draw);
  const onPaper = (is) => {
    if (paper === is) return;
    paper = is;
    root.classList.toggle('paper', is);
    drawAll();
  };
  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  matchMedia('print').addEventListener('change', (media) => onPaper(media.matches));
  addEventListener('beforeprint', () => onPaper(true));
  addEventListener('afterprint', () => onPaper(false));
  new ResizeObserver(() => {
    for (const { id } of charts) {
      const [plot, width] = [plots.get(id), widthOf(id)];
      if (width > 0 && plot.width !== width) plot.setSize({ width, height: HEIGHT });
    }
  }).observe(document.body);
})();
`;
