import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { usageError } from '../../../lib/errors.ts';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import { suggestion } from '../../../lib/suggest.ts';
import type { Env } from '../../env.ts';
import { textPieces } from '../../text-file.ts';

/** Names of the scenarios that come with the program. An `.example.yaml` is to be copied: nobody else has that service. */
export async function shippedScenarios(env: Env): Promise<string[]> {
  const files = await readdir(join(env.packageDir, 'scenarios'));
  return files
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('.example.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .toSorted();
}

/** The file to start from for a service of somebody else. */
export function exampleScenario(env: Env): string {
  return join(env.packageDir, 'scenarios', 'foreign-service.example.yaml');
}

/**
 * A scenario by the path of a file or by the name of a shipped one.
 *
 * @throws CouponError `SCENARIO_UNKNOWN`, `BAD_SCENARIO`
 */
export async function loadScenario(env: Env, wanted: string): Promise<Scenario> {
  const { parseScenario } = await import('../../../bench/scenario/scenario.ts');
  const shipped = await shippedScenarios(env);
  const path = shipped.includes(wanted) ? join(env.packageDir, 'scenarios', `${wanted}.yaml`) : resolve(env.cwd, wanted);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'is neither a file nor a scenario that comes with the program' : `cannot be read (${code})`;
    throw usageError(
      'SCENARIO_UNKNOWN',
      `"${wanted}" ${what}${suggestion(wanted, [...shipped, 'compare', 'list', 'run', 'verify'])}`,
      '`coupon-cli bench list` shows what there is.',
    );
  }
  // Files that a scenario names lie where it lies.
  const scenario = parseScenario(text, wanted, { variables: env.vars, open: (file) => textPieces(resolve(dirname(path), file)) });
  return withPaths(scenario, dirname(path));
}

/** An export that the scenario names lies beside it. */
function withPaths(scenario: Scenario, folder: string): Scenario {
  const { evidence } = scenario;
  if (evidence.kind === 'own' || evidence.issued?.kind !== 'csv') return scenario;
  return { ...scenario, evidence: { ...evidence, issued: { kind: 'csv', path: resolve(folder, evidence.issued.path) } } };
}
