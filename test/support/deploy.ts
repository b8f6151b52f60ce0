import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from './markdown.ts';

export function deployFile(path: string): string {
  return readFileSync(join(ROOT, 'deploy', path), 'utf8');
}

export function yamlFile<T>(path: string): T {
  return parse(readFileSync(join(ROOT, path), 'utf8'), { merge: true }) as T;
}

interface Container {
  name: string;
  image: string;
  args: string[];
  ports?: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  securityContext: Record<string, unknown>;
}
interface Probe {
  httpGet: { path: string; port: string };
}
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec?: {
    selector?: { matchLabels?: Record<string, string> } & Record<string, unknown>;
    ports?: { port: number; targetPort: string }[];
    template?: {
      metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
      spec: { enableServiceLinks: boolean; securityContext: Record<string, unknown>; containers: [Container] };
    };
  };
}

/** Every manifest of deploy/kubernetes. */
export function manifests(): Manifest[] {
  return readdirSync(join(ROOT, 'deploy/kubernetes')).flatMap((file) =>
    parseAllDocuments(deployFile(`kubernetes/${file}`)).map((one) => one.toJS() as Manifest),
  );
}

/** Names of metrics in an expression of PromQL, with what a histogram adds to its name taken off. */
export function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\bcoupon_[a-z_]+/g)].map(([name]) => name.replace(/(?<=_(size|seconds))_(bucket|sum|count)$/, ''));
}
