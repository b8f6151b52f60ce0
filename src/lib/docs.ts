/** Where the documents explain what a message says. Pages and anchors are checked by tests. */
import { readFileSync } from 'node:fs';

export type DocsPage = 'doctor' | 'errors' | 'findings';

export interface PackageAddress {
  version: string;
  repository?: string | { url: string };
}

let known: string | undefined;

/** An address where the package names its repository; otherwise the path within the package. */
export function docsLink(page: DocsPage, anchor: string): string {
  known ??= docsBase(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as PackageAddress);
  return `${known}docs/${page}.md#${anchor.toLowerCase()}`;
}

/** The pages of this version, such as `https://github.com/owner/name/blob/v1.0.0/`; empty: the package has no repository. */
export function docsBase({ version, repository }: PackageAddress): string {
  const url = typeof repository === 'string' ? repository : (repository?.url ?? '');
  const found = /^(?:git\+)?(https:\/\/.+?)(?:\.git)?$/.exec(url);
  return found ? `${found[1]}/blob/v${version}/` : '';
}
