import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithUs } from '../support/end-with-us.ts';
import { BIN, cleanEnvironment } from '../support/processes.ts';
import { until } from '../support/until.ts';
import type { Supervised } from './fault.ts';

export interface SupervisorOptions {
  name: string;
  /** Arguments of the program. */
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  /** File for everything that it says, and when it started and ended. */
  log: string;
  /** It is up once it has said this; null: as soon as it runs. */
  upWhen: string | null;
  /** Told whenever it ended and nobody had killed it. */
  onDeath: (how: string) => void;
}

/** A process of the program, started again whenever it dies, until `end`. */
export interface SupervisedProcess extends Supervised {
  /** Returns when the present process is up. */
  up(): Promise<void>;
  /** For good, by SIGKILL. */
  end(): Promise<void>;
}

interface Life {
  child: ChildProcess;
  up: boolean;
  /** We killed it. */
  killed: boolean;
  /** Exit code or signal. */
  ended: Promise<string>;
}

/** What dies at once again and again should not eat the machine. */
const RESTART_MS = 200;
/** For a start while many others start. */
const UP_MS = 120_000;

export function supervise({ name, argv, env, log, upWhen, onDeath }: SupervisorOptions): SupervisedProcess {
  const out = createWriteStream(log, { flags: 'a' });
  const say = (text: string): void => void out.write(`${new Date().toISOString()} ${text}\n`);
  let ending = false;

  const begin = (): Life => {
    const child = spawn(process.execPath, [BIN, ...argv], { env: { ...cleanEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    endWithUs(child);
    say(`--- started as ${child.pid}`);
    const ended = new Promise<string>((resolve) => child.once('close', (code, signal) => resolve(String(signal ?? code))));
    const begun: Life = { child, up: upWhen === null, killed: false, ended };
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        say(line);
        if (upWhen !== null && line.includes(upWhen)) begun.up = true;
      });
    }
    return begun;
  };

  let life = begin();
  const keepAlive = async (): Promise<void> => {
    for (;;) {
      const how = await life.ended;
      say(`--- ended: ${how}`);
      if (ending) return;
      if (!life.killed) {
        onDeath(`${name} ended by itself: ${how}`);
        await delay(RESTART_MS);
        if (ending) return;
      }
      life = begin();
    }
  };
  const over = keepAlive();

  return {
    name,
    get pid() {
      return life.child.pid;
    },
    up: () => until(() => life.up, UP_MS),
    async kill() {
      const dying = life;
      dying.killed = true;
      dying.child.kill('SIGKILL');
      await until(() => life !== dying && life.up);
    },
    pause: () => void life.child.kill('SIGSTOP'),
    resume: () => void life.child.kill('SIGCONT'),
    async end() {
      ending = true;
      life.child.kill('SIGKILL');
      await over;
      out.end();
    },
  };
}
