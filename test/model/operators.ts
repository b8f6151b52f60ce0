/** The commands of an operator on real stores: each may die at any of its calls, and is then run again. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/lib/clock.ts';
import { changeCoupon, type ChangePorts } from '../../src/operate/change.ts';
import type { ChangeRequest } from '../../src/operate/change/request.ts';
import { forgetUser, type ForgetPorts } from '../../src/operate/remove/forget.ts';
import { purgeCoupon, type PurgePorts } from '../../src/operate/remove/purge.ts';
import { revokeCoupon } from '../../src/operate/remove/revoke.ts';
import { reset } from '../../src/operate/reset.ts';
import { seed } from '../../src/operate/seed.ts';
import { useCoupon } from '../../src/operate/use.ts';
import { redisForget } from '../../src/stores/redis/forget.ts';
import { Killed } from '../support/killed.ts';
import type { TestStores } from '../support/stores.ts';
import type { Command, Death } from './history.ts';
import { afterDeath, endOfSale, nameOf, type ChangeAnswer, type ChangeAsked } from './operate.ts';
import { ID } from './reading.ts';
import { FIRST_NAME } from './state.ts';
import { usedAfterDeath } from './use.ts';
import type { Outside } from './world.ts';

type Of<Kind> = Extract<Command, { kind: Kind }>;
type Operated = Of<'change' | 'forget' | 'purge' | 'use' | 'revoke' | 'reset'>;
/** Those of its ports that a test may have made faulty. */
type Faulty = Pick<TestStores, 'claims' | 'ledger'>;

/** What a command came to, and what the model cannot know by itself. */
export interface Happened {
  answer: unknown;
  outside: Partial<Outside>;
}

const INSTANT = { ...systemClock, sleep: async (): Promise<void> => undefined };
const BY = 'op';

export async function operate(stores: TestStores, faulty: Faulty, command: Operated): Promise<Happened> {
  switch (command.kind) {
    case 'change': {
      const opId = randomUUID();
      const answer = await diesAndRunsAgain(command.dies, (mortal) => change(mortal, stores, command, opId));
      return { answer: afterDeath(command, answer), outside: {} };
    }
    case 'forget':
      return { answer: await diesAndRunsAgain(command.dies, (mortal) => forget(mortal, stores, command)), outside: {} };
    case 'use':
      return diesAndRunsAgain(command.dies, (mortal) => use(mortal, stores, faulty, command));
    case 'revoke':
      return diesAndRunsAgain(command.dies, (mortal) => revoke(mortal, stores, faulty, command));
    case 'reset': {
      const [resets, seeds]: [string[], string[]] = [[], []];
      await diesAndRunsAgain(command.dies, (mortal) => seedAnew(mortal, stores, command.total, { resets, seeds }));
      const ended = new Set((await stores.sql('SELECT epoch FROM coupon_ended_epochs')).map((row) => String(row['epoch'])));
      const { epoch } = (await stores.ledger.coupon(ID))!;
      // Some were drawn for nothing: the command died before the ledger knew them, or found nothing left to reset. Not all were.
      const known = [...resets, ...seeds].filter((one) => one !== epoch && ended.has(one));
      const resetEpochs = resets.some((one) => ended.has(one)) ? known : resets;
      return { answer: 'done', outside: { resetEpochs, epoch } };
    }
    default: {
      const resetEpoch = randomUUID();
      const answer = await diesAndRunsAgain(command.dies, (mortal) => purge(mortal, stores, resetEpoch));
      await stores.seed({ id: ID, total: command.total });
      return { answer, outside: { resetEpochs: [resetEpoch], epoch: (await stores.ledger.coupon(ID))!.epoch } };
    }
  }
}

export type Mortal = <P extends object>(port: P) => P;

/** An operator whose command died runs the same one again. */
export async function diesAndRunsAgain<T>(
  death: Death,
  run: (mortal: Mortal) => Promise<T>,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<T> {
  const dying = death === null ? immortal : dyingAt(death);
  try {
    return await run(dying);
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  await meanwhile();
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

async function use(mortal: Mortal, { coupons }: TestStores, { claims, ledger }: Faulty, command: Of<'use'>): Promise<Happened> {
  const ports = { ledger: mortal(ledger), hashes: mortal(coupons), claims: mortal(claims), keyStyle: 'plain' };
  const result = await useCoupon(ports, ID, command.userId!, randomUUID());
  const { status, followed } = result;
  const answer = status === 'used' || status === 'already_used' ? usedAfterDeath(command, { status, followed }) : { status, followed };
  return { answer, outside: 'usedAt' in result ? { usedAt: result.usedAt } : {} };
}

async function revoke(mortal: Mortal, { coupons }: TestStores, { claims, ledger }: Faulty, command: Of<'revoke'>): Promise<Happened> {
  const ports = { ledger: mortal(ledger), claims: mortal(claims), coupons: mortal(coupons), keyStyle: 'plain', newOpId: randomUUID };
  const options = { reason: 'test', returnStock: command.returnStock, byWhom: BY, dryRun: false };
  try {
    const { outcome, revokedAt } = await revokeCoupon(ID, command.userId!, options, ports);
    const answer = outcome === 'unchanged' ? afterDeath(command, outcome) : 'done';
    return { answer, outside: { revokedAt: revokedAt! } };
  } catch (error) {
    if ((error as { code?: string }).code === 'ALREADY_USED') return { answer: 'used', outside: {} };
    throw error;
  }
}

async function seedAnew(
  mortal: Mortal,
  { ledger, coupons }: TestStores,
  total: number,
  { resets, seeds }: Record<'resets' | 'seeds', string[]>,
): Promise<void> {
  const fresh = (epochs: string[]) => (): string => epochs[epochs.push(randomUUID()) - 1]!;
  const [mortalLedger, mortalCoupons] = [mortal(ledger), mortal(coupons)];
  await reset(ID, { ledger: mortalLedger, coupons: mortalCoupons, newEpoch: fresh(resets) });
  const definition = { id: ID, name: FIRST_NAME, total, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
  await seed(definition, { ledger: mortalLedger, coupons: mortalCoupons, newEpoch: fresh(seeds), keyStyle: 'plain' });
}

async function forget(mortal: Mortal, { ledger, connection }: TestStores, command: Extract<Command, { kind: 'forget' }>): Promise<'done'> {
  const redis = mortal(redisForget(connection, 'plain'));
  const newTombstone = (): string => command.tombstone!;
  const ports: ForgetPorts = { ledger: mortal(ledger), redisOf: () => redis, clock: INSTANT, newOpId: randomUUID, newTombstone };
  await forgetUser(command.userId!, { byWhom: BY, dryRun: false }, ports);
  return 'done';
}

export async function purge(mortal: Mortal, { ledger, coupons, reader }: TestStores, epoch: string): Promise<'done'> {
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
