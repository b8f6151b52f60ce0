import { tmpdir } from 'node:os';
import type { Host } from '../../src/lib/process/host.ts';

/** The machine that the tests run on, as the local stack sees it; `changes` make it another one. */
export function testHost(changes: Partial<Host> = {}): Host {
  return {
    platform: process.platform,
    arch: process.arch,
    pid: process.pid,
    uid: process.getuid?.() ?? null,
    gid: process.getgid?.() ?? null,
    path: process.env['PATH'] ?? '',
    tmpDir: tmpdir(),
    env: process.env,
    kill: (pid, signal) => void process.kill(pid, signal),
    ...changes,
  };
}
