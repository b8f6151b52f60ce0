import { describe, expect, it } from 'vitest';
import { ARGUMENTS, SCRIPT_RIGHTS, type KeyRights } from '../../../src/stores/redis/script-rights.ts';
import { SCRIPTS, scriptSource, type ScriptName } from '../../../src/stores/redis/script.ts';
import { COMMAND_USES, type CommandUse } from '../../../src/stores/rights/commands.ts';
import { openStores } from '../../support/stores.ts';

const names = Object.keys(SCRIPTS) as ScriptName[];

/** What the scripts call their keys, in lower case; `coupon_key` is a parameter of a shared part, `key` one of `rehash`. */
const CALLED: Readonly<Record<string, string>> = { coupon_key: 'coupon', key: 'issued', issued_prefix: 'issued', unseen: 'issued' };

/** `command key` of everything that a script runs, found by reading it. */
function inSource(source: string): Set<string> {
  const code = source.split('\n').filter((line) => !/^\s*--|^if redis\.acl_check_cmd then/.test(line));
  const found = new Set<string>();
  for (const line of code) {
    for (const [, command, rest] of line.matchAll(/redis\.p?call\('([A-Z]+)'([^)]*)/g)) {
      for (const key of keysIn(rest!)) found.add(`${command!.toLowerCase()} ${key}`);
    }
    // The size, the way to read, the key: see compare-rows.
    const place = /place\('([A-Z]+)', '([A-Z]+)', ([A-Z]+)\)/.exec(line);
    for (const command of place ? [place[1]!, place[2]!] : []) found.add(`${command.toLowerCase()} ${place![3]!.toLowerCase()}`);
  }
  return found;
}

function keysIn(rest: string): string[] {
  const argumentsOf = rest.split(/\s*,\s*/).filter((text) => text !== '');
  if (argumentsOf.length === 0) return ['none'];
  const many = argumentsOf.every((text) => /^[A-Z]+$/.test(text)) ? argumentsOf : argumentsOf.slice(0, 1);
  return many.map((text) => {
    const word = text.replace(/^unpack\(/, '').replace(/[[ .].*$/, '');
    return CALLED[word.toLowerCase()] ?? word.toLowerCase();
  });
}

function inTable(rights: KeyRights): Set<string> {
  return new Set(Object.entries(rights).flatMap(([key, commands]) => commands.split(' ').map((command) => `${command} ${key}`)));
}

/** A fault here does not fail a test: it ends the server. */
it('every command is asked about with all of its arguments', async () => {
  await using stores = await openStores({ migrated: false });
  const rights = [...Object.values(SCRIPT_RIGHTS), ...Object.values(COMMAND_USES).flatMap(directOf)] as KeyRights[];
  const known = new Set(
    rights.flatMap((keys) =>
      Object.entries(keys).flatMap(([key, commands]) => commands.split(' ').map((one) => `${one} ${key === 'none' ? 0 : 1}`)),
    ),
  );
  for (const entry of [...known, 'eval 0', 'evalsha 0', 'select 0']) {
    const [command, keys] = entry.split(' ') as [string, string];
    const [info] = (await stores.redis.call('COMMAND', 'INFO', command)) as [[string, number]];
    const words = 1 + Number(keys) + (ARGUMENTS[command]?.length ?? 0);
    expect(info[1] < 0 ? Math.max(words, -info[1]) : info[1], command).toBe(words);
  }
});

function directOf({ redis = [], options = {} }: CommandUse): readonly KeyRights[] {
  return [...redis, ...Object.values(options).flatMap(directOf)];
}

describe('the rights of a script', () => {
  it.each(names)('%s are the commands and keys of its source, and no others', (name) => {
    expect([...inTable(SCRIPT_RIGHTS[name])].toSorted()).toEqual([...inSource(scriptSource(name))].toSorted());
  });

  it.each(names)('%s are asked for before anything is run', (name) => {
    const code = scriptSource(name)
      .split('\n')
      .filter((line) => line !== '' && !/^\s*(--|#!)/.test(line));
    const [first = ''] = code;
    for (const [key, commands] of Object.entries(SCRIPT_RIGHTS[name] as KeyRights)) {
      for (const command of commands.split(' ')) {
        const number = (SCRIPTS[name] as readonly string[]).indexOf(key) + 1;
        expect(first).toContain(`acl_check_cmd('${command.toUpperCase()}'${number > 0 ? `, KEYS[${number}]` : ''}`);
      }
    }
  });

  it('would be found to lack a command, or to have one too many', () => {
    const source = "#!lua\n-- x: y\n\nredis.call('HSET', COUPON, 'a', 'b')\nredis.call('EXISTS', QUEUE, DEAD)\nredis.call('TIME')";
    expect(inSource(source)).toEqual(new Set(['hset coupon', 'exists queue', 'exists dead', 'time none']));
    expect(inSource("redis.pcall('HMGET', issued[i], 'a')\nredis.call('EXISTS', unpack(unseen))")).toEqual(
      new Set(['hmget issued', 'exists issued']),
    );
  });
});
