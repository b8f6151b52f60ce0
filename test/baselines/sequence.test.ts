import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { admitOne, type AdmissionState } from '../model/admit-one.ts';
import { STRATEGIES } from '../../src/campaign/strategy.ts';
import { admissionBy } from '../support/baselines.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

const fresh = (stock: number): AdmissionState => ({
  stock,
  state: 'open',
  opensAtMs: null,
  closesAtMs: null,
  trusted: true,
  lastUs: 0,
  admitted: new Map(),
  waiting: new Map(),
  claimed: new Set(),
  dead: new Set(),
  issued: new Set(),
});

/** What makes them differ is repeats and simultaneity; without both, all of them must decide as the model does. */
test.each(STRATEGIES)('%s: distinct users, one after another, get what the model says', async (strategy) => {
  const { admission, flushed } = admissionBy(strategy, stores);
  for (const total of [0, 1, 7]) {
    const id = `c${total}`;
    await stores.seed({ id, total });
    const model = fresh(total);
    for (let n = 1; n <= 10; n += 1) {
      const request = { userId: `user-${n}`, requestId: `r${n}` };
      const [answer] = await admission.admit(id, [request]);
      expect(answer!.outcome, `${request.userId} of ${total}`).toBe(admitOne(model, request, n).outcome);
    }
  }
  await flushed();
});
