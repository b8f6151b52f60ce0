import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Reads `+pid` and `-pid` lines, and when they end, which is when we do, it kills what was not taken back. A process is known by its number
 * and the time of its start: the number may have gone to another one.
 */
const WATCHER = `
const { readFileSync } = require('node:fs');
const startOf = (pid) => {
  try {
    return readFileSync('/proc/' + pid + '/stat', 'utf8').replace(/^.*\\) /s, '').split(' ')[19];
  } catch {
    return process.platform === 'linux' ? null : '';
  }
};
const known = new Map();
let rest = '';
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) known.set(pid, startOf(pid));
    else known.delete(pid);
  }
}).on('end', () => {
  for (const [pid, start] of known) if (start !== null && startOf(pid) === start) try { process.kill(pid, 'SIGKILL'); } catch {}
});
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {});
`;

let watcher: ChildProcess | null = null;

/**
 * Lets a process that a test started end with this one at the latest. A test that runs into its time limit is left where it stands, so that
 * what it would have ended stays otherwise.
 */
export function endWithUs(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  watcher ??= startWatcher();
  const { stdin } = watcher;
  stdin!.write(`+${pid}\n`);
  child.once('exit', () => stdin!.write(`-${pid}\n`));
}

function startWatcher(): ChildProcess {
  const child = spawn(process.execPath, ['--eval', WATCHER], { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  (child.stdin as Socket).unref();
  return child;
}
