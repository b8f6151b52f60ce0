import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath } from '../../src/lib/process/processes.ts';
import { testHost } from './host.ts';
import { BIN, cleanEnvironment } from './processes.ts';

/** Null: it is not on this machine (Debian: `apt-get install zsh fish`; `script` belongs to bsdutils). */
export function program(name: string): string | null {
  return findOnPath(testHost(), [name]);
}

/** How each shell is started without the settings of whoever runs the tests, and told of our script. */
const SHELLS = {
  bash: { start: 'bash --norc --noprofile -i', load: 'eval "$(coupon-cli completion bash)"' },
  zsh: { start: 'zsh -f -i', load: 'source <(coupon-cli completion zsh)' },
  fish: { start: 'fish --no-config -i', load: 'coupon-cli completion fish | source' },
} as const;

/**
 * Types lines into a real shell on a terminal of its own, Tab included, and returns all that the terminal showed.
 *
 * @param vars of the environment, such as DATABASE_URL
 */
export async function typeInto(shell: keyof typeof SHELLS, lines: readonly string[], vars: Record<string, string> = {}): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'coupon-shell-'));
  const bin = join(home, 'coupon-cli');
  writeFileSync(bin, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(bin, 0o755);
  const { start, load } = SHELLS[shell];
  const env = { ...cleanEnvironment(), ...vars, HOME: home, XDG_CONFIG_HOME: home, PATH: `${home}:${process.env['PATH']}`, TERM: 'dumb' };
  const child = spawn('script', ['-qec', start, '/dev/null'], { cwd: home, env, stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  child.stdin.end([load, ...lines, 'exit'].map((line) => `${line}\n`).join(''));
  await new Promise((resolve) => child.once('close', resolve));
  return shown;
}
