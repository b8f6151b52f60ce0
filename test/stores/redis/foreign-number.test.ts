import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wholeNumber } from '../../../src/lib/text/serialised.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const LUA = readFileSync(new URL('../../../src/stores/redis/lua/shared/foreign-number.lua', import.meta.url), 'utf8');
const SCRIPT = `${LUA}
local reply = {}
for i, text in ipairs(ARGV) do
  local value = foreign_number(text)
  reply[i] = value and string.format('%.0f', value) or 'none'
end
return reply`;

const NUMBERS = ['0', '7', '-7', '+7', '95.0', '95.000', '7L', '7l', '"7"', '["java.lang.Long",7]', '["java.lang.Integer", "7"]'];
const NONE = ['', 'null', '7.5', '7,0', '0x7', '1e3', 'seven', '""', '[7]', '{"stock":7}', '["java.lang.Long",null]', 'NaN', '\\xac\\xed'];

describe('the reading of whole numbers of other programs in Lua', () => {
  let stores: TestStores;
  beforeAll(async () => void (stores = await openStores({ migrated: false })));
  afterAll(() => stores[Symbol.asyncDispose]());

  it.each([...NUMBERS, ...NONE])('is the same as in TypeScript for %s', async (text) => {
    const here = wholeNumber(text)?.toFixed(0) ?? 'none';
    expect(await stores.redis.eval(SCRIPT, 0, text)).toEqual([here]);
    expect(here === 'none').toBe(NONE.includes(text));
  });
});
