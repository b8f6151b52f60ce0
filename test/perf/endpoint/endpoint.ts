import { until } from '../../support/until.ts';
import { alternating, median, medianRatio, type Effort, type Figure } from '../figures.ts';
import { ownStores, type OwnStores } from '../own-stores.ts';
import { processorUs } from '../processor.ts';
import { load, loadTool, PLENTY, type LoadFigures } from './load.ts';
import { served, storeless, type Server } from './servers.ts';

const SITUATIONS = ['accepted', 'sold_out', 'duplicate'] as const;
type Situation = (typeof SITUATIONS)[number];

const PROGRAMS = ['ours', 'storeless', 'three-calls', 'rdb-lock'] as const;
type Program = (typeof PROGRAMS)[number];

interface Measured extends LoadFigures {
  /** Processor time of the server for one request, microseconds. */
  serverUs: number;
}

/** Users that ask again and again. */
const REGULARS = 1_000;

/**
 * Requests a second of `serve`, beside the same routes on stores that answer at once, and beside the two ways of the baselines: users who
 * are accepted, users who come too late, users who ask again. 100 connections that are always busy.
 */
export async function endpoint({ rounds, seconds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const figures: Figure[] = [];
  for (const situation of SITUATIONS) {
    const measured: Record<Program, Measured[]> = { ours: [], storeless: [], 'three-calls': [], 'rdb-lock': [] };
    await using servers = await openServers(stores, situation);
    // The first round warms up compilers, caches and connections.
    for (let round = -1; round < rounds; round += 1) {
      for (const program of alternating(PROGRAMS, round)) {
        const figure = await measure(stores, servers[program], {
          situation,
          name: `${program}-${round}`,
          seconds: round < 0 ? 1 : seconds,
        });
        if (round >= 0) measured[program].push(figure);
      }
    }
    figures.push(...figuresOf(situation, measured));
  }
  return figures;
}

type Servers = Record<Program, Server> & AsyncDisposable;

async function openServers(stores: OwnStores, situation: Situation): Promise<Servers> {
  const servers = {
    ours: await served(stores),
    storeless: await storeless(situation),
    'three-calls': await served(stores, ['--strategy', 'three-calls']),
    'rdb-lock': await served(stores, ['--strategy', 'rdb-lock']),
  };
  return {
    ...servers,
    async [Symbol.asyncDispose]() {
      for (const server of Object.values(servers)) await server[Symbol.asyncDispose]();
    },
  };
}

async function measure(
  stores: OwnStores,
  server: Server,
  { situation, name, seconds }: { situation: Situation; name: string; seconds: number },
): Promise<Measured> {
  const { url, pid } = server;
  const couponId = `${situation}-${name}`;
  const asked = { url, couponId, prefix: 'user-', users: situation === 'duplicate' ? REGULARS : 0, seconds };
  await stores.seed(couponId, situation === 'sold_out' ? 1 : PLENTY);
  // The one coupon, or the first request of each regular.
  if (situation !== 'accepted')
    await load({ ...asked, users: REGULARS, prefix: situation === 'sold_out' ? 'early-' : 'user-', seconds: 1 });
  const before = processorUs(pid);
  const figures = await load(asked);
  const serverUs = (processorUs(pid) - before) / figures.requests;
  // The slow ones go on with what their clients no longer wait for, on the processors of the next.
  await until(async () => (await server.pending()) === 0);
  return { ...figures, serverUs };
}

function figuresOf(situation: Situation, measured: Record<Program, Measured[]>): Figure[] {
  const of = (program: Program, what: keyof Measured): number[] => measured[program].map((one) => one[what]);
  const shown = (program: Program): string =>
    `${program} ${Math.round(median(of(program, 'perSecond')))}/s, p99 ${median(of(program, 'p99Ms')).toFixed(1)} ms, ${median(of(program, 'serverUs')).toFixed(0)} µs`;
  const detail = (other: Program): string => `${shown('ours')}; ${shown(other)}; ${loadTool}`;
  const rate = (other: Program): number => medianRatio(of('ours', 'perSecond'), of(other, 'perSecond'));
  const tail = (other: Program): number => medianRatio(of('ours', 'p99Ms'), of(other, 'p99Ms'));
  const bounds: Partial<Record<Situation, number>> = { accepted: 0.75, sold_out: 0.9 };
  const bound = bounds[situation];
  const figure = (id: string, name: string, value: number, other: Program, limit?: Figure['bound']): Figure => ({
    id: `endpoint-${situation}-${id}`,
    name: `${situation}: ${name}`,
    value,
    ...(limit ? { bound: limit } : {}),
    detail: detail(other),
  });
  const contested = situation === 'accepted';
  return [
    figure(
      'storeless',
      'requests a second : the same routes without stores',
      rate('storeless'),
      'storeless',
      bound ? { atLeast: bound } : undefined,
    ),
    figure('three-calls', 'requests a second : three-calls', rate('three-calls'), 'three-calls', contested ? { atLeast: 1.8 } : undefined),
    figure('three-calls-p99', 'p99 : three-calls', tail('three-calls'), 'three-calls', contested ? { atMost: 0.5 } : undefined),
    figure('rdb-lock', 'requests a second : rdb-lock', rate('rdb-lock'), 'rdb-lock'),
    figure('rdb-lock-p99', 'p99 : rdb-lock', tail('rdb-lock'), 'rdb-lock', contested ? { atMost: 0.1 } : undefined),
  ];
}
