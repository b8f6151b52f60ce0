/** `npm run test:faults`: campaigns under faults, and what became of them. Exit code 0 only if every promise was kept. */
import { fileURLToPath } from 'node:url';
import { allFaults } from './kinds/index.ts';
import { parseOptions, USAGE, type SuiteOptions } from './options.ts';
import { writeTable } from './docs.ts';
import { runSuite } from './suite.ts';
import { tableOf } from './table.ts';

const FAULTS_PAGE = fileURLToPath(new URL('../../docs/faults.md', import.meta.url));

function options(): SuiteOptions | null {
  try {
    const kinds = allFaults.map(({ kind }) => kind);
    return parseOptions(process.argv.slice(2), kinds, () => Math.floor(Math.random() * 1_000_000));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return null;
  }
}

async function main(chosen: SuiteOptions): Promise<number> {
  const seeds = `seeds: ${chosen.seeds.join(',')}`;
  console.log(seeds);
  const result = await runSuite(allFaults, chosen, (line) => console.log(line));
  const table = tableOf(allFaults, result);
  console.log(`\n${table}\n`);
  if (chosen.docs) await writeTable(FAULTS_PAGE, table);
  const failed = result.seeds.filter(({ campaigns }) => campaigns.some(({ broken }) => broken.length > 0));
  console.log(seeds);
  console.log(failed.length === 0 ? 'every promise was kept' : `broken promises in seed ${failed.map(({ seed }) => seed).join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

const chosen = options();
process.exitCode = chosen === null ? 2 : await main(chosen);
