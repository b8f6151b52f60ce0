/** Processes of the program that die or stand still. */
import { setTimeout as delay } from 'node:timers/promises';
import type { HarmlessFault } from '../fault.ts';

const workerKill: HarmlessFault = {
  kind: 'worker-kill',
  meaning: 'a `drain` is killed with SIGKILL',
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  inflict: ({ drains }, random) => random.pick(drains).kill(),
};

const workerStop: HarmlessFault = {
  kind: 'worker-stop',
  meaning: 'a `drain` is stopped (SIGSTOP) until its lease has run out, then goes on',
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  async inflict({ drains, leaseMs }, random) {
    const worker = random.pick(drains);
    worker.pause();
    await delay(leaseMs * (1.2 + random.next()));
    worker.resume();
  },
};

const serveKill: HarmlessFault = {
  kind: 'serve-kill',
  meaning: '`serve` is killed with SIGKILL in the middle of requests',
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  inflict: ({ serve }) => serve.kill(),
};

export const processFaults: readonly HarmlessFault[] = [workerKill, workerStop, serveKill];
