import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultStackDir, stackDown, type Host } from '../../src/stack/stack.ts';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** Folders for stacks of a test file's own, next to those of this clone; `removeAll` stops and removes what was started in them. */
export class StackDirs {
  readonly #host: Host;
  readonly #dirs: string[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  next(name: string): string {
    return this.add(defaultStackDir(this.#host, REPOSITORY, `test-${name}-${randomBytes(3).toString('hex')}`));
  }

  add(dir: string): string {
    this.#dirs.push(dir);
    return dir;
  }

  async removeAll(): Promise<void> {
    for (const dir of this.#dirs) {
      if (existsSync(dir)) await stackDown(this.#host, { dir, purge: true });
    }
  }
}
