/** `adopt` on the stores of a test. */
import { randomUUID } from 'node:crypto';
import { adoptCoupon, type AdoptOptions, type AdoptPorts, type AdoptResult } from '../../src/operate/adopt/adopt.ts';
import { ledgerAdoptions } from '../../src/stores/postgres/ledger-adoptions.ts';
import { redisAdoptionSource, redisAdoptionStore } from '../../src/stores/redis/adoption.ts';
import type { TestStores } from './stores.ts';

export function adoptPorts({ connection, database }: TestStores): AdoptPorts {
  return {
    source: redisAdoptionSource(connection, 'plain'),
    store: redisAdoptionStore(connection, 'plain'),
    ledger: ledgerAdoptions(database),
    keyStyle: 'plain',
    newId: randomUUID,
  };
}

const NOTHING_SAID: AdoptOptions = {
  total: null,
  stock: null,
  name: null,
  state: null,
  fields: {},
  templates: {},
  zone: undefined,
  memberField: 'userId',
  byWhom: 'op@shop',
  dryRun: false,
};

export function adoptIn(
  stores: TestStores,
  id: string,
  said: Partial<AdoptOptions> = {},
  ports = adoptPorts(stores),
): Promise<AdoptResult> {
  return adoptCoupon(id, { ...NOTHING_SAID, ...said }, ports);
}
