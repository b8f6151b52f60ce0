import { createHash } from 'node:crypto';
import { appendFileSync, rmSync } from 'node:fs';
import type { Host } from '../../lib/process/host.ts';
import { findOnPath, run, type Output } from '../../lib/process/processes.ts';
import type { StoreDriver } from '../store.ts';

/** A client is often installed where no daemon runs, so the daemon is what we ask. */
export async function dockerAnswers(host: Host): Promise<boolean> {
  const docker = findOnPath(host, ['docker']);
  if (docker === null) return false;
  const { code, stdout } = await run(docker, ['info', '--format', '{{.ServerVersion}}'], { env: host.env, timeoutMs: 3_000 });
  return code === 0 && /\d/.test(stdout); // some versions say "Cannot connect" and exit with 0
}

export interface ContainerPlan {
  label: StoreDriver['label'];
  image: string;
  /** The port inside. */
  port: number;
  /** Where the image keeps its data. */
  data: string;
  /** Options of `docker run`, before the image. */
  options: string[];
  command: string[];
  /** Handed over by name, so that no password stands on a command line. */
  env: Record<string, string>;
  ask(port: number): Promise<string | null>;
  logFile: string;
}

/** The name of a container and of its volume; the stack's folder decides it. */
export function containerName(stackDir: string, label: string): string {
  return `coupon-cli-${createHash('sha256').update(stackDir).digest('hex').slice(0, 12)}-${label.toLowerCase()}`;
}

/** A server in a container, its data in a volume that outlives it. The container is made anew at every start: its port may change. */
export function inContainer(host: Host, name: string, plan: ContainerPlan): StoreDriver {
  const docker = async (args: string[], timeoutMs = 60_000): Promise<Output> => {
    return await run(findOnPath(host, ['docker']) ?? 'docker', args, { env: { ...host.env, ...plan.env }, timeoutMs });
  };
  return {
    label: plan.label,
    logFile: plan.logFile,
    findPid: async () => null,
    ask: async (port) => await plan.ask(port),
    prepare: async () => {},
    async launch(port) {
      await docker(['rm', '--force', name]);
      const names = Object.keys(plan.env).flatMap((variable) => ['--env', variable]);
      const where = ['--name', name, '--publish', `127.0.0.1:${port}:${plan.port}`, '--volume', `${name}:${plan.data}`];
      const started = await docker(['run', '--detach', ...where, ...names, ...plan.options, plan.image, ...plan.command], 600_000);
      appendFileSync(plan.logFile, `${started.stdout}${started.stderr}\n`, { mode: 0o600 });
      return { exited: () => started.code !== 0 };
    },
    async stop() {
      const running = await docker(['inspect', '--format', '{{.State.Running}}', name]);
      if (running.code !== 0 || running.stdout.trim() !== 'true') return false;
      return (await docker(['stop', '--time', '20', name])).code === 0;
    },
    async crash() {
      await docker(['kill', name]);
    },
    async purge() {
      await docker(['rm', '--force', name]);
      await docker(['volume', 'rm', '--force', name]);
      rmSync(plan.logFile, { force: true });
    },
  };
}
