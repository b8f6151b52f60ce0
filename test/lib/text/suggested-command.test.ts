import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { command, commandOf, shellQuoted } from '../../../src/lib/text/suggested-command.ts';
import { isVisible } from '../../../src/lib/text/visible.ts';

const SRC = fileURLToPath(new URL('../../../src/', import.meta.url));

/** What a real shell makes of a suggested command: the arguments of coupon-cli. */
function argvOf(text: string): string[] {
  const line = /^`coupon-cli( .*)`$/s.exec(text)![1]!;
  const script = `coupon_cli() { for one in "$@"; do printf '%s\\0' "$one"; done; }\ncoupon_cli${line}`;
  return execFileSync('sh', ['-c', script]).toString().split('\0').slice(0, -1);
}

const HOSTILE = [
  'plain-user_1@example.com',
  'a;touch$IFS/tmp/x;#',
  '$(id)',
  '`id`',
  "it's",
  '"quoted"',
  'a|b<c>d&e',
  'back\\slash',
  '*?[a]~!',
  '#',
  'with space',
  '%s%n',
  '-n',
  '--reset',
  '',
  'esc\u001b[2J',
  'rtl\u202eevil',
  'line\nbreak',
  'all ; $()`\'"|<># \\',
  '여름',
];

describe('a suggested command', () => {
  it.each(HOSTILE)('hands %j to coupon-cli as one argument', (value) => {
    expect(argvOf(command`inspect queue ${'summer'} --after ${value}`)).toEqual(['inspect', 'queue', 'summer', '--after', value]);
    const end = value.startsWith('-') ? ['--'] : [];
    expect(argvOf(command`inspect user ${'summer'} ${value}`)).toEqual(['inspect', 'user', 'summer', ...end, value]);
    expect(argvOf(command`seed x --confirm=${value}`)).toEqual(['seed', 'x', `--confirm=${value}`]);
  });

  it.each(HOSTILE)('shows %j without a character that a terminal would obey, or that ends the command in our text', (value) => {
    expect(isVisible(shellQuoted(value))).toBe(true);
    expect(shellQuoted(value)).not.toContain('`');
  });

  it('may be made of a list of arguments', () => {
    expect(argvOf(commandOf(['extend', 'all ; $()', '--closes-at', "it's"]))).toEqual(['extend', 'all ; $()', '--closes-at', "it's"]);
  });

  it('leaves plain values as they are', () => {
    expect(command`inspect user ${'summer'} ${'user-17'}`).toBe('`coupon-cli inspect user summer user-17`');
  });
});

describe('the source', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

  /** Arguments of processes that we start ourselves, and values that are a word or a number of ours. */
  const OURS = [
    'cli/commands/drain/systemd.ts',
    'lib/text/suggested-command.ts',
    'stack/postgres/native.ts',
    'bench/load/processes/plan.ts',
    'cli/commands/demo.ts',
  ];

  it.each(files.filter((file) => !OURS.includes(file)))('%s builds no command from a raw value', (file) => {
    const source = readFileSync(`${SRC}${file}`, 'utf8');
    // A template literal with `coupon-cli …${` in it, or an option with a raw value after it, outside of the tag.
    const raw = [
      ...source.matchAll(/\\`(?:coupon-cli|seed|dead|inspect|audit|drain|use) [^`\n]*?\$\{(?!command|shellQuoted)[^\n]*/g),
      ...source.matchAll(/(?<!(?:command|suggested)`[^`\n]*)--[a-z-]+[= ]\$\{(?!shellQuoted|strategy\})[^\n]*/g),
    ].map((match) => match[0]);
    expect(raw).toEqual([]);
  });
});
