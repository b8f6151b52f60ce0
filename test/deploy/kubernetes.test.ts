/** The manifests are what the API of Kubernetes takes. */
import { describe, expect, it } from 'vitest';
import { manifests, type Manifest } from '../support/deploy.ts';
import { kubernetesProblems } from '../support/kubernetes-types.ts';

const COMPILES_MS = 60_000;

it('every manifest has the fields that its kind has, with values of their types', { timeout: COMPILES_MS }, () => {
  const all = manifests();
  expect(new Set(all.map(({ kind }) => kind)).size).toBeGreaterThan(4);
  expect(kubernetesProblems(all)).toEqual(all.map(() => ''));
});

describe('found would be', () => {
  const text = JSON.stringify(manifests().find(({ kind }) => kind === 'Deployment'));
  const planted: [string, RegExp, string, RegExp][] = [
    ['a misspelled field', /"replicas":/, '"replicass":', /replicass/],
    ['a misspelled field deep inside', /"readOnlyRootFilesystem"/, '"readOnlyRootFileSystem"', /readOnlyRootFileSystem/],
    ['a field in the wrong place', /"envFrom":/, '"terminationGracePeriodSeconds":30,"envFrom":', /terminationGracePeriodSeconds/],
    ['a text where a number belongs', /"containerPort":(\d+)/, '"containerPort":"$1"', /'string' is not assignable to type 'number'/],
    ['a number where a text belongs', /"cpu":"[^"]*"/, '"cpu":1', /'number' is not assignable to type 'string'/],
    ['a field that is missing', /"selector":\{"matchLabels":\{[^}]*\}\},/, '', /selector/],
    ['a kind that its group does not have', /"kind":"Deployment"/, '"kind":"Deploy"', /Deploy/],
  ];

  it.each(planted)('%s: it is in the manifest', (_, from, to) => expect(text.replace(from, to)).not.toBe(text));

  it('each of them', { timeout: COMPILES_MS }, () => {
    const found = kubernetesProblems(planted.map(([, from, to]) => JSON.parse(text.replace(from, to)) as Manifest));
    planted.forEach(([what, , , said], index) => expect(found[index], what).toMatch(said));
  });
});
