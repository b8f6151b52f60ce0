/**
 * The script of the report page: draws each chart of the page's data with uPlot, in the colours of the scheme, and again when
 * scheme or width change. Plain JavaScript for browsers, kept as text because the page has to carry it along.
 */
export const PAGE_SCRIPT = `'use strict';
(() => {
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const plain = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
  const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
  const figure = (value) => (Math.abs(value) < 100 ? plain : whole).format(value);
  const share = (nines) => (nines === 0 ? '0' : figurePercent(nines)) + ' %';
  const figurePercent = (nines) => String(Number((100 * (1 - 10 ** -nines)).toFixed(Math.max(0, Math.ceil(nines) - 1))));

  /** 1, 2, 3, … 9, 10, 20, … between the ends of a logarithmic axis. */
  const decades = (_plot, _axis, low, high) => {
    const at = [];
    for (let ten = 10 ** Math.floor(Math.log10(low)); ten <= high; ten *= 10) {
      for (let times = 1; times < 10; times += 1) if (times * ten >= low && times * ten <= high) at.push(Number((times * ten).toPrecision(2)));
    }
    return at;
  };

  /** Parts of a whole become sums; the legend goes on to show the parts. */
  const drawn = ({ stacked, data }) => {
    if (!stacked) return data;
    const sums = data[0].map(() => 0);
    return [data[0], ...data.slice(1).map((list) => list.map((value, at) => (sums[at] += value ?? 0)))];
  };

  const optionsOf = (chart, width) => {
    const { x, y, stacked, data } = chart;
    const axis = { stroke: css('--dim'), grid: { stroke: css('--grid'), width: 1 }, ticks: { stroke: css('--line'), width: 1 }, font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif' };
    const nines = x === 'nines';
    const last = data[0].length ? data[0][data[0].length - 1] : 1;
    const valueOf = (_plot, _value, series, at) => (at == null || data[series][at] == null ? '–' : figure(data[series][at]));
    return {
      width,
      height: 280,
      padding: [8, nines ? 28 : 12, 0, 0],
      cursor: { sync: nines ? undefined : { key: 'seconds', scales: ['x', null] }, points: { size: 6 } },
      scales: {
        x: { time: false, range: () => [0, last || 1] },
        y: y.log ? { distr: 3, range: (_plot, low, high) => (low > 0 ? [low / 1.25, high * 1.25] : [1, 10]) } : { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        nines
          ? { ...axis, label: 'percentile', splits: () => [last > 4 ? 0.30103 : 0, 0.30103, 1, 2, 3, 4, 5, 6, 7].filter((at, place, all) => at <= last && all.indexOf(at) === place), values: (_plot, at) => at.map(share) }
          : { ...axis, label: 'seconds since the load began' },
        { ...axis, label: y.label, size: 64, ...(y.log ? { splits: decades, filter: (_plot, at) => at.map((value) => ('125'.includes(value.toExponential()[0]) ? value : null)) } : {}), values: (_plot, at) => at.map((value) => (value == null ? '' : figure(value))) },
      ],
      legend: {
        markers: {
          width: stacked ? 9 : 2,
          stroke: (_plot, series) => css(chart.series[series - 1].colour),
          fill: () => 'transparent',
          dash: (_plot, series) => (!stacked && chart.series[series - 1].dash.length ? 'dashed' : 'solid'),
        },
      },
      series: [
        { label: nines ? 'percentile' : 'second', value: (_plot, value) => (value == null ? '–' : nines ? share(value) : figure(value)) },
        ...chart.series.map(({ label, colour, dash, width: line }) => ({
          label,
          // Areas have no outline: that of an empty part would lie on the part below.
          stroke: stacked ? 'transparent' : css(colour),
          width: stacked ? 0 : line,
          dash,
          fill: stacked ? css(colour) + 'd0' : undefined,
          value: valueOf,
          points: stacked ? { show: false } : { size: 4, fill: css(colour) },
        })),
      ],
      bands: stacked ? chart.series.slice(1).map((_series, at) => ({ series: [at + 2, at + 1] })) : [],
    };
  };

  const plots = new Map();
  const draw = (chart) => {
    const host = document.getElementById('plot-' + chart.id);
    plots.get(chart.id)?.destroy();
    plots.set(chart.id, new uPlot(optionsOf(chart, host.clientWidth), drawn(chart), host));
  };
  const drawAll = () => charts.forEach(draw);
  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  new ResizeObserver(() => {
    for (const { id } of charts) {
      const host = document.getElementById('plot-' + id);
      const plot = plots.get(id);
      if (host.clientWidth > 0 && plot.width !== host.clientWidth) plot.setSize({ width: host.clientWidth, height: 280 });
    }
  }).observe(document.body);
})();
`;
