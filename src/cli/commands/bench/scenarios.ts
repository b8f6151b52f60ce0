import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { TlsTrust } from '../../../bench/ports.ts';
import { usageError } from '../../../lib/errors.ts';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import { suggestion } from '../../../lib/text/suggest.ts';
import { SAVE_AS_UTF8, utf8Text } from '../../../lib/text/utf8.ts';
import type { Env } from '../../env.ts';
import { textChunks } from '../../files/text-file.ts';

/** A scenario of a hundred coupons and long bodies stays far below. */
const MAX_BYTES = 4_000_000;

/** Names of the scenarios that come with the program. An `.example.yaml` is to be copied first. */
export async function shippedScenarios(env: Env): Promise<string[]> {
  const files = await readdir(join(env.packageDir, 'scenarios'));
  return files
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('.example.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .toSorted();
}

/** The file to start from for a third-party service. */
export function exampleScenario(env: Env): string {
  return join(env.packageDir, 'scenarios', 'foreign-service.example.yaml');
}

/** A scenario from a file. */
export interface LoadedScenario extends Scenario {
  /** Where the file lies, with all that it names. */
  folder: string;
}

/**
 * A scenario by the path of a file or by the name of a shipped one.
 *
 * @throws CouponError `SCENARIO_UNKNOWN`, `BAD_SCENARIO`
 */
export async function loadScenario(env: Env, wanted: string): Promise<LoadedScenario> {
  const { parseScenario } = await import('../../../bench/scenario/scenario.ts');
  const shipped = await shippedScenarios(env);
  const path = shipped.includes(wanted) ? join(env.packageDir, 'scenarios', `${wanted}.yaml`) : resolve(env.cwd, wanted);
  let bytes: Buffer;
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw Object.assign(new Error('too large'), { code: `${size} bytes; at most ${MAX_BYTES} are read` });
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'is neither a file nor a scenario that comes with the program' : `cannot be read (${code})`;
    throw usageError(
      'SCENARIO_UNKNOWN',
      `"${wanted}" ${what}${suggestion(wanted, [...shipped, 'check', 'compare', 'history', 'init', 'list', 'run', 'try', 'verify'])}`,
      '`coupon-cli bench list` shows what there is.',
    );
  }
  const text = utf8Text(bytes);
  if (text === null) throw usageError('BAD_SCENARIO', `${wanted} is not UTF-8; nothing was done`, SAVE_AS_UTF8);
  refuseOtherTools(text, wanted);
  // Files that a scenario names lie where it lies.
  const scenario = parseScenario(text, wanted, { variables: env.vars, open: (file) => textChunks(resolve(dirname(path), file)) });
  return { ...withPaths(scenario, dirname(path)), folder: dirname(path) };
}

/** People come with what they have. */
function refuseOtherTools(text: string, file: string): void {
  const tool = /from\s+['"]k6(\/|['"])/.test(text)
    ? 'a script of k6'
    : /^config:/m.test(text) && /^scenarios:/m.test(text)
      ? 'a test of Artillery'
      : text.includes('<jmeterTestPlan')
        ? 'a test plan of JMeter'
        : text.includes('io.gatling')
          ? 'a simulation of Gatling'
          : null;
  if (tool === null) return;
  throw usageError(
    'BAD_SCENARIO',
    `${file} is ${tool}, and bench reads YAML of its own`,
    'Phases and thresholds of a scenario have the words of k6: `coupon-cli bench init` writes one to start from.',
  );
}

/** Files that the scenario names lie beside it. */
function withPaths(scenario: Scenario, folder: string): Scenario {
  const { evidence } = scenario;
  const tls = { ...scenario.tls, ca: scenario.tls.ca && resolve(folder, scenario.tls.ca) };
  if (evidence.kind === 'own' || evidence.issued?.kind !== 'csv') return { ...scenario, tls };
  return { ...scenario, tls, evidence: { ...evidence, issued: { ...evidence.issued, path: resolve(folder, evidence.issued.path) } } };
}

/**
 * Whose certificates a scenario takes, before anything is sent.
 *
 * @throws CouponError `BAD_CA`
 */
export async function trustOf({ tls }: Scenario, insecure: boolean): Promise<TlsTrust> {
  return { ca: tls.ca === null ? null : await readAuthorities(tls.ca), insecure: insecure || tls.insecure };
}

async function readAuthorities(path: string): Promise<string> {
  const fix = 'tls.ca names a PEM file, and its path is taken from where the scenario lies.';
  let pem: string;
  try {
    if ((await stat(path)).size > MAX_BYTES) throw Object.assign(new Error('too large'), { code: `more than ${MAX_BYTES} bytes` });
    pem = await readFile(path, 'utf8');
  } catch (error) {
    throw usageError('BAD_CA', `${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, fix);
  }
  const { createSecureContext } = await import('node:tls');
  try {
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
    createSecureContext({ ca: pem });
  } catch (error) {
    throw usageError('BAD_CA', `${path} cannot be used: ${(error as Error).message}`, fix);
  }
  return pem;
}
