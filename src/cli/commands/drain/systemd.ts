import type { Context } from '../../context.ts';

/** What a unit of Type=notify hears from us. */
export interface Supervisor {
  /** Work begins. Later calls say nothing. */
  ready(): void;
}

/** systemd-notify waits until systemd has read the message, which is at once or never. */
const TIMEOUT_MS = 10_000;

/**
 * Tells systemd when a service is ready, and when it begins to stop. Without NOTIFY_SOCKET there is no supervisor to tell, and nothing is
 * done.
 *
 * The socket is a datagram socket of the unix kind, which Node does not have; so systemd's own program speaks for us. The unit
 * needs NotifyAccess=all, because that is another process than the main one. Whatever goes wrong is a warning: the service
 * works, and systemd will say itself what it misses.
 */
export function systemdSupervisor(context: Context, stop: AbortSignal): Supervisor {
  const socket = context.env.vars['NOTIFY_SOCKET'];
  if (!socket) return { ready: () => undefined };
  let told = Promise.resolve();
  let warned = false;
  const tell = (...messages: string[]): void => {
    told = told.then(async () => {
      const why = await notify(context, socket, messages);
      if (why === null || warned) return;
      warned = true;
      context.out.warn(
        `systemd could not be told of our state: ${why}; put systemd-notify on the PATH of the unit and set NotifyAccess=all, or use Type=exec instead of Type=notify`,
      );
    });
  };
  // Before we end, so that no message is lost or overtaken.
  context.onClose(() => told);
  stop.addEventListener('abort', () => tell('STOPPING=1'), { once: true });
  let ready = false;
  return {
    ready() {
      if (ready || stop.aborted) return;
      ready = true;
      // Our number as well: started through npm or a shell, we are not the process that systemd takes for the main one.
      tell('--ready', `--pid=${context.env.pid}`);
    },
  };
}

/** Why it did not work; null: it did. */
async function notify(context: Context, socket: string, messages: readonly string[]): Promise<string | null> {
  const { findOnPath, lastLines, run } = await import('../../../lib/process/processes.ts');
  const program = findOnPath(context.env, ['systemd-notify']);
  if (program === null) return 'there is no systemd-notify';
  const { code, stderr } = await run(program, [...messages], {
    env: { PATH: context.env.path, NOTIFY_SOCKET: socket },
    timeoutMs: TIMEOUT_MS,
  });
  return code === 0 ? null : `systemd-notify failed: ${lastLines(stderr) || `exit code ${code}`}`;
}
