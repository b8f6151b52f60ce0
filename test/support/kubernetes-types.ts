/** Manifests against the types that are generated from the API that Kubernetes publishes: fields, their types, and which are required. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './markdown.ts';
import type { Manifest } from './deploy.ts';

const TYPES = dirname(createRequire(import.meta.url).resolve('kubernetes-types/package.json'));

/** What is wrong with each of the manifests, a text for each; the compiler refuses fields that an object literal must not have. */
export function kubernetesProblems(all: readonly Manifest[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-manifests-'));
  const file = join(folder, 'manifests.ts');
  const lines = all.map((one, index) => {
    // `v1` is the core group; `apps/v1` and the like name their folder.
    const group = one.apiVersion === 'v1' ? 'core/v1' : one.apiVersion;
    return `import type { ${one.kind} as K${index} } from ${JSON.stringify(join(TYPES, group))};\nexport const m${index}: K${index} = ${JSON.stringify(one)};`;
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--module', 'preserve', '--types', '', file],
    { cwd: folder, encoding: 'utf8' },
  );
  if (error) throw error;
  if (stderr !== '') throw new Error(stderr);
  const found = [...stdout.matchAll(/\((\d+),\d+\): error (.*)/g)];
  // Each manifest takes two lines of the file.
  return all.map((_, index) => found.flatMap(([, line, text]) => (Math.ceil(Number(line) / 2) === index + 1 ? [text!] : [])).join('\n'));
}
