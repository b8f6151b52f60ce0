import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readForeignTime } from '../../../src/campaign/foreign-time.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { NO_TIME, NONE, ODD, TIMES } from '../../support/foreign-times.ts';

const LUA = readFileSync(new URL('../../../src/stores/redis/lua/shared/foreign-time.lua', import.meta.url), 'utf8');
const SCRIPT = `${LUA}
local reply = {}
for i, text in ipairs(ARGV) do
  local us = foreign_time(text)
  reply[i] = us and string.format('%.0f', us) or 'unreadable'
end
return reply`;

describe('the reading of foreign times in Lua', () => {
  let stores: TestStores;
  beforeAll(async () => void (stores = await openStores({ migrated: false })));
  afterAll(() => stores[Symbol.asyncDispose]());

  const inLua = (texts: readonly string[]) => stores.redis.eval(SCRIPT, 0, ...texts) as Promise<string[]>;
  const here = (text: string): string => {
    const time = readForeignTime(text);
    return time.kind === 'time' ? time.us.toFixed(0) : time.kind === 'none' ? '0' : 'unreadable';
  };

  it('is the same as in TypeScript for every form that is known', async () => {
    const texts = [...TIMES.map(([text]) => text), ...NONE, ...NO_TIME];
    expect(await inLua(texts)).toEqual(texts.map(here));
  });

  it('is the same for any text', async () => {
    const batch = fc.array(ODD, { minLength: 100, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(batch, async (texts) => {
        const lua = await inLua(texts);
        expect(texts.map((text, i) => [text, lua[i]])).toEqual(texts.map((text) => [text, here(text)]));
      }),
      { numRuns: 60 },
    );
  });
});
