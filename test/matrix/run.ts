/** `npm run test:matrix`: the same tests on each supported version. Exit code 0 unless a version fails, or could have been had and was not. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Host } from '../../src/lib/process/host.ts';
import { findPostgres } from '../../src/stack/postgres/binary.ts';
import { cacheDir, stackPaths } from '../../src/stack/paths.ts';
import { findNativeRedis } from '../../src/stack/redis/binary.ts';
import { serverIdentity } from '../../src/stack/server-user.ts';
import { defaultStackDir } from '../../src/stack/stack.ts';
import { testHost } from '../support/host.ts';
import { REPOSITORY } from '../support/stack-dir.ts';
import { debianRedis } from './debian.ts';
import { npmNode, npmPostgres } from './npm.ts';
import { unavailable, type Obtained } from './obtained.ts';
import { runTests, type Outcome } from './run-tests.ts';
import { writeRows, type Row } from './table.ts';
import { VERSIONS, type Programs, type Version } from './versions.ts';

const PAGE = fileURLToPath(new URL('../../docs/versions.md', import.meta.url));

const USAGE = `npm run test:matrix -- [--only VERSION[,VERSION…]] [--docs]

  --only  nothing but these of ${VERSIONS.map(({ id }) => id).join(', ')}
  --docs  writes the rows into docs/versions.md; other rows stay`;

const host = testHost();
const stackDir = defaultStackDir(host, REPOSITORY, `test-${host.pid}`);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Chosen {
  versions: Version[];
  docs: boolean;
}

function options(): Chosen | null {
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string', multiple: true, default: [] }, docs: { type: 'boolean', default: false } },
    });
    const only = values.only.flatMap((ids) => ids.split(','));
    const unknown = only.find((id) => !VERSIONS.some((version) => version.id === id));
    if (unknown !== undefined) throw new Error(`--only: there is no version "${unknown}"`);
    return { versions: VERSIONS.filter(({ id }) => only.length === 0 || only.includes(id)), docs: values.docs };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return null;
  }
}

async function programsHere(on: Host): Promise<Programs> {
  const [redis, postgres] = await Promise.all([
    findNativeRedis(on, stackDir, say),
    findPostgres(on, stackPaths(stackDir), serverIdentity(on), say),
  ]);
  return {
    redis: `${redis.command.endsWith('valkey-server') ? 'Valkey' : 'Redis'} ${redis.version}`,
    postgres: `PostgreSQL ${postgres.kind === 'native' ? postgres.version : '?'}`,
    node: `Node ${process.versions.node}`,
  };
}

async function obtain({ source }: Version): Promise<Obtained> {
  const cache = cacheDir(host, stackDir);
  switch (source.kind) {
    case 'debian':
      return await debianRedis(host, cache, source.release, source.server, say);
    case 'npm-postgres':
      return await npmPostgres(host, cache, source.major, say);
    case 'npm-node':
      return await npmNode(host, cache, source.range, say);
    case 'none':
      return unavailable(source.why);
    default:
      return source satisfies never;
  }
}

function rowOf({ label, is }: Version, { witness, passed, problems }: Outcome): Row {
  const programs = witness === null ? [] : [witness.redis, witness.postgres, witness.node];
  const wrong = programs.some((name) => is.test(name)) ? [] : [`it ran on ${programs.join(', ') || 'nothing'}`];
  const all = [...problems, ...wrong];
  return { label, on: programs.join(', '), passed, result: all.length === 0 ? 'passed' : `**failed**: ${all.length}`, problems: all };
}

async function main({ versions, docs }: Chosen): Promise<number> {
  const here = Object.values(await programsHere(host)) as string[];
  say(`this machine has ${here.join(', ')}`);
  // Several versions may be those of this machine: one run is for all of them.
  const runs = new Map<string | null, Promise<Outcome>>();
  let failures = 0;
  for (const version of versions) {
    const begun = Date.now();
    const row = await tryVersion(version, here, runs);
    if (row.problems.length > 0) failures += 1;
    say(
      `${row.label}: ${row.result}${row.on === '' ? '' : ` (${row.passed} tests on ${row.on}, ${Math.round((Date.now() - begun) / 1000)} s)`}`,
    );
    for (const problem of row.problems) say(`  ${problem}`);
    if (docs)
      await writeRows(
        PAGE,
        VERSIONS.map(({ label }) => label),
        [row],
      );
  }
  return failures === 0 ? 0 : 1;
}

async function tryVersion(version: Version, here: string[], runs: Map<string | null, Promise<Outcome>>): Promise<Row> {
  try {
    const obtained = here.some((name) => version.is.test(name)) ? null : await obtain(version);
    if (obtained?.kind === 'unavailable')
      return { label: version.label, on: '', passed: 0, result: `not run: ${obtained.why}`, problems: [] };
    const first = obtained?.folder ?? null;
    const running = runs.get(first) ?? runTests(first);
    runs.set(first, running);
    return rowOf(version, await running);
  } catch (error) {
    return { label: version.label, on: '', passed: 0, result: '**failed**', problems: [(error as Error).message] };
  }
}

const chosen = options();
process.exitCode = chosen === null ? 2 : await main(chosen);
