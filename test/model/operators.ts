/** The commands of an operator on real stores: each may die at any of its calls, and is then run again. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/lib/clock.ts';
import { changeCoupon, type ChangePorts } from '../../src/operate/change.ts';
import type { ChangeRequest } from '../../src/operate/change/request.ts';
import { forgetUser, type ForgetPorts } from '../../src/operate/remove/forget.ts';
import { purgeCoupon, type PurgePorts } from '../../src/operate/remove/purge.ts';
import { redisForget } from '../../src/stores/redis/forget.ts';
import { Killed } from '../support/killed.ts';
import type { TestStores } from '../support/stores.ts';
import type { Command, Death } from './history.ts';
import { afterDeath, endOfSale, nameOf, type ChangeAnswer, type ChangeAsked } from './operate.ts';
import { ID } from './reading.ts';

type Operated = Extract<Command, { kind: 'change' | 'forget' | 'purge' }>;

const INSTANT = { ...systemClock, sleep: async (): Promise<void> => undefined };
const BY = 'op';

/** @param resetEpoch of the life that a purge ends the coupon with */
export async function operate(stores: TestStores, command: Operated, resetEpoch: string): Promise<unknown> {
  switch (command.kind) {
    case 'change': {
      const opId = randomUUID();
      return afterDeath(command, await diesAndRunsAgain(command.dies, (mortal) => change(mortal, stores, command, opId)));
    }
    case 'forget':
      return await diesAndRunsAgain(command.dies, (mortal) => forget(mortal, stores, command));
    default: {
      const answer = await diesAndRunsAgain(command.dies, (mortal) => purge(mortal, stores, resetEpoch));
      await stores.seed({ id: ID, total: command.total });
      return answer;
    }
  }
}

type Mortal = <P extends object>(port: P) => P;

/** An operator whose command died runs the same one again. */
async function diesAndRunsAgain<T>(death: Death, run: (mortal: Mortal) => Promise<T>): Promise<T> {
  const dying = death === null ? immortal : dyingAt(death);
  try {
    return await run(dying);
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  return await run(immortal);
}

function immortal<P extends object>(port: P): P {
  return port;
}

/** The calls of all ports are counted together. */
function dyingAt({ call, when }: NonNullable<Death>): Mortal {
  let calls = 0;
  return <P extends object>(port: P): P =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          calls += 1;
          if (calls - 1 !== call) return (await member.apply(target, args)) as unknown;
          if (when === 'after') await member.apply(target, args);
          throw new Killed();
        };
      },
    });
}

async function change(mortal: Mortal, { ledger, coupons }: TestStores, asked: ChangeAsked, opId: string): Promise<ChangeAnswer> {
  const ports: ChangePorts = { ledger: mortal(ledger), coupons: mortal(coupons), keyStyle: 'plain', newOpId: randomUUID };
  // A restock alone would count twice without one.
  const context = { byWhom: BY, reason: null, opId: asked.change === 'restock' ? opId : null };
  try {
    const { outcome } = await changeCoupon(ID, requestOf(asked), context, ports);
    return outcome === 'unchanged' ? outcome : 'done';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'CHANGE_REFUSED') return 'refused';
    if (code === 'USERS_WAITING') return 'waiting';
    throw error;
  }
}

function requestOf(asked: ChangeAsked): ChangeRequest {
  switch (asked.change) {
    case 'restock':
      return { kind: 'restock', add: asked.by };
    case 'extend':
      return { kind: 'extend', closesAt: endOfSale(asked.by) };
    case 'rename':
      return { kind: 'rename', name: nameOf(asked.by) };
    case 'edit':
      return {
        kind: 'edit',
        settings: { name: nameOf(asked.by), opensAt: null, closesAt: endOfSale(asked.by), expiry: { kind: 'never' } },
      };
    case 'close':
      return { kind: 'close', force: asked.force };
    default:
      return { kind: asked.change };
  }
}

async function forget(mortal: Mortal, { ledger, connection }: TestStores, command: Extract<Command, { kind: 'forget' }>): Promise<'done'> {
  const redis = mortal(redisForget(connection, 'plain'));
  const newTombstone = (): string => command.tombstone!;
  const ports: ForgetPorts = { ledger: mortal(ledger), redisOf: () => redis, clock: INSTANT, newOpId: randomUUID, newTombstone };
  await forgetUser(command.userId!, { byWhom: BY, dryRun: false }, ports);
  return 'done';
}

async function purge(mortal: Mortal, { ledger, coupons, reader }: TestStores, epoch: string): Promise<'done'> {
  const ids = [randomUUID(), epoch];
  const ports: PurgePorts = {
    ledger: mortal(ledger),
    coupons: mortal(coupons),
    reader: mortal(reader),
    keyStyle: 'plain',
    newId: () => ids.shift()!,
  };
  await purgeCoupon(ID, { byWhom: BY, reason: null, force: true, dryRun: false }, ports);
  return 'done';
}
