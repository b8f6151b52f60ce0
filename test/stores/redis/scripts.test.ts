import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SCRIPTS, scriptSource, type ScriptName } from '../../../src/stores/redis/script.ts';

const names = Object.keys(SCRIPTS) as ScriptName[];

/** Key names of the contract on top of a script, in the order of KEYS, without the ones that follow the users. */
function contractKeys(source: string): string[] {
  return [...source.matchAll(/^-- KEYS\[(\d+)\] +(\w+)/gm)].map((match) => match[2]!).filter((name) => name !== 'issued');
}

describe('every Lua script', () => {
  it('has a wrapper, and every wrapper a script', () => {
    const all = readdirSync(new URL('../../../src/stores/redis/lua/', import.meta.url), { recursive: true, encoding: 'utf8' });
    const files = all.filter((file) => file.endsWith('.lua') && !file.startsWith('shared/')).map((file) => basename(file, '.lua'));
    expect(files.toSorted()).toEqual(names.toSorted());
  });

  it.each(names)('%s opens with a contract whose keys are those of its wrapper', (name) => {
    const source = scriptSource(name);
    expect(source.split('\n')[1]).toMatch(new RegExp(`^-- ${name}: `));
    expect(contractKeys(source)).toEqual([...SCRIPTS[name]]);
    expect(source).toContain('-- Reply: ');
  });

  it.each(names)('%s runs at the memory limit, unless it admits or seeds', (name) => {
    const first = scriptSource(name).split('\n')[0];
    expect(first).toMatch(name === 'admit' || name === 'seed' ? /^#!lua$/ : /^#!lua flags=(no-writes,)?allow-oom$/);
  });
});
