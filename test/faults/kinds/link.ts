/** Networks between the program and its stores that lose, cut, forget, and dawdle. Each kind for each of the two stores. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TcpProxy } from '../../support/tcp-proxy.ts';
import type { HarmlessFault, Random } from '../fault.ts';

type Store = 'redis' | 'postgres';

const NAMES: Readonly<Record<Store, string>> = { redis: 'Redis', postgres: 'PostgreSQL' };

const onLink = (
  store: Store,
  kind: string,
  meaning: (name: string) => string,
  inflict: (link: TcpProxy, random: Random) => Promise<void>,
): HarmlessFault => ({
  kind: `${store}-${kind}`,
  meaning: meaning(NAMES[store]),
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  inflict: ({ links }, random) => inflict(links[store], random),
});

const faultsOf = (store: Store): HarmlessFault[] => [
  onLink(
    store,
    'reply-lost',
    (name) => `${name} does what it was asked, and its replies are lost with the connections`,
    async (link, random) => {
      link.holdReplies();
      await delay(random.int(50, 600));
      link.dropReplies();
    },
  ),
  onLink(
    store,
    'connection-cut',
    (name) => `connections to ${name} are cut and refused for a while`,
    async (link, random) => {
      await link.cut();
      await delay(random.int(50, 1_500));
      await link.restore();
    },
  ),
  onLink(
    store,
    'half-open',
    (name) => `connections to ${name} stay open, and nothing ever comes through them again`,
    async (link, random) => {
      // Whoever is in the middle of something stays there: a transaction that was begun is never ended.
      link.holdReplies();
      await delay(random.int(0, 40));
      link.freeze();
      link.releaseReplies();
      // They are never mended: whoever holds one has to give it up by himself.
      await delay(random.int(500, 2_000));
    },
  ),
  onLink(
    store,
    'slow-link',
    (name) => `everything to and from ${name} arrives late`,
    async (link, random) => {
      link.slow(random.int(30, 400));
      await delay(random.int(1_000, 2_500));
      link.slow(0);
    },
  ),
];

export const linkFaults: readonly HarmlessFault[] = [...faultsOf('redis'), ...faultsOf('postgres')];
