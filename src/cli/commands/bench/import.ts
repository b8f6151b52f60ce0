import { plural } from '../../../lib/text/figures.ts';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { usageError } from '../../../lib/errors.ts';
import { judgeImported, type BenchRun } from '../../../bench/run.ts';
import { benchProgressText } from '../../../bench/report/summary.ts';
import type { Context } from '../../context.ts';
import { startProgress } from '../../output/progress.ts';
import { requireAllowedStore } from '../../targets.ts';
import { evidenceOpener, storesOf } from './evidence.ts';
import { loadScenario } from './scenarios.ts';

export interface ImportFlags {
  file: string;
  /** A record, which excludes an import. */
  path: string | undefined;
  scenario?: string | undefined;
  map: string[];
  allowTarget: string[];
}

/** What another load tool recorded, compared with what the stores say now. */
export async function importedRun(context: Context, { file, path, scenario: name, map, allowTarget }: ImportFlags): Promise<BenchRun> {
  if (path !== undefined) throw usageError('BENCH_USAGE', '--import and a record exclude each other', 'Give one of them.');
  if (name === undefined)
    throw usageError('BENCH_USAGE', '--import needs --scenario', 'Its coupons, outcomes and verify say what is compared with what.');
  const [{ importLoad }, { parseMapping }] = await Promise.all([
    import('../../../bench/import/import-run.ts'),
    import('../../../bench/import/formats.ts'),
  ]);
  const mapping = parseMapping(map);
  const scenario = await loadScenario(context.env, name);
  for (const store of storesOf([scenario.evidence])) requireAllowedStore(context, store, allowTarget, 'bench verify');
  const { load, users, format } = await importLoad(
    file,
    createReadStream(resolve(context.env.cwd, file), 'utf8') as AsyncIterable<string>,
    scenario,
    mapping,
  );
  context.out.note(`${file}: ${plural(load.record.length, 'request')} of ${plural(users.planned, 'user')}, written by ${format}`);
  const evidence = await evidenceOpener(context)(scenario.evidence);
  const progress = await startProgress(context, `${scenario.name}: reading the stores`);
  const counted = { ...scenario, users: { ...scenario.users, count: users.planned } };
  try {
    return await judgeImported(
      { evidence, clock: systemClock },
      {
        scenario: counted,
        load,
        users,
        target: scenario.target ?? file,
        signal: context.stopSignal(),
        onProgress: (step) => progress.update(`${scenario.name}: ${benchProgressText(step)}`),
      },
    );
  } finally {
    progress.stop();
  }
}
