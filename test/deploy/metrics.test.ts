/** The dashboard and the alert rules are about the metrics that there are, about all of them, and about no others. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StopSignal } from '../../src/cli/env.ts';
import { deployFile, metricsIn, yamlFile } from '../support/deploy.ts';
import { document, ROOT } from '../support/markdown.ts';
import { at, cli } from '../support/run-cli.ts';
import { program } from '../support/shells.ts';
import { openStores, type TestStores } from '../support/stores.ts';

interface Dashboard {
  panels: { id: number; title: string; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] }[];
}
interface Rules {
  groups: { rules: { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } }[] }[];
}

const dashboard = JSON.parse(deployFile('grafana/dashboard.json')) as Dashboard;
const rules = yamlFile<Rules>('deploy/prometheus/alerts.yaml').groups.flatMap(({ rules: some }) => some);
const shown = new Set(dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr))));
const alerted = new Set(rules.flatMap(({ expr }) => metricsIn(expr)));

let stores: TestStores;
const printed = new Map<string, Set<string>>();

/** Metrics of ours that a process prints, each with its labels. */
async function scrape(argv: string[]): Promise<void> {
  let stop: (name: StopSignal) => void = () => undefined;
  let done: Promise<void> | undefined;
  await cli([...argv, '--json', ...at(stores)], {
    onListen: (send) => (stop = send),
    onStdout: (line) => {
      done ??= (async () => {
        const { url } = JSON.parse(line.split('\n')[0]!) as { url: string };
        const text = await (await fetch(`${url}/metrics`)).text();
        for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) if (name!.startsWith('coupon_')) printed.set(name!, new Set());
        for (const [, name, labels] of text.matchAll(/^(coupon_[a-z_]+)\{(.*)\} /gm)) {
          const known = printed.get(metricsIn(name!)[0]!)!;
          for (const [, label] of labels!.matchAll(/(\w+)="/g)) known.add(label!);
        }
      })().finally(() => stop('SIGTERM'));
    },
  });
  await done;
}

beforeAll(async () => {
  stores = await openStores();
  await stores.seed({ id: 'sale' });
  await scrape(['serve', '--port', '0']);
  await scrape(['drain', '--health-port', '0', '--interval', '50ms']);
});
afterAll(() => stores[Symbol.asyncDispose]());

describe('metrics', () => {
  it('that the dashboard shows are those that serve and drain print: all of them, and no others', () => {
    expect(printed.size).toBeGreaterThan(10);
    expect([...shown].toSorted()).toEqual([...printed.keys()].toSorted());
  });

  it('that rules are about are printed', () => {
    expect(alerted.size).toBeGreaterThan(5);
    expect([...alerted].filter((name) => !printed.has(name))).toEqual([]);
  });

  it('are selected by labels that they have', () => {
    const all = [...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), ...rules.map(({ expr }) => expr)];
    const wrong = all.flatMap((expr) =>
      [...expr.matchAll(/\b(coupon_\w+)\{(\w+)/g)].flatMap(([, metric, label]) => {
        const labels = printed.get(metric!)!;
        // A counter that nothing has happened to prints none.
        return labels.size === 0 || labels.has(label!) ? [] : [`${metric} has no label ${label}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('that are misspelled would be found', () => {
    expect(metricsIn('rate(coupon_admission_batch_seconds_bucket[1m]) / coupon_x_total{a="coupon"}')).toEqual([
      'coupon_admission_batch_seconds',
      'coupon_x_total',
    ]);
  });
});

it('every alert has a row in docs/deploy.md that says what to do, and no other has', () => {
  const rows = [...document('docs/deploy.md').text.matchAll(/^\| `Coupon[^|]+/gm)].join();
  const named = [...rows.matchAll(/`(Coupon\w+)`/g)].map(([, name]) => name!);
  expect(named.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

describe('the dashboard', () => {
  it('has panels that lie beside each other', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

const promtool = program('promtool');

describe.skipIf(promtool === null)('the alert rules, to promtool', () => {
  const run = (...args: string[]) => spawnSync(promtool!, args, { cwd: join(ROOT, 'deploy/prometheus'), encoding: 'utf8' });

  it('are valid', () => expect(run('check', 'rules', 'alerts.yaml')).toMatchObject({ status: 0, stderr: '' }));

  it('fire when they should, and not otherwise', () =>
    expect(run('test', 'rules', 'alerts.test.yaml')).toMatchObject({ status: 0, stdout: expect.stringContaining('SUCCESS') }));
});
