import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { userName } from '../../src/cli/env.ts';

describe('who runs a command', () => {
  it.each([
    [{ USER: 'kim', LOGNAME: 'lee' }, 'kim'],
    [{ LOGNAME: 'lee' }, 'lee'],
    [{ USER: '', USERNAME: 'choi' }, 'choi'],
    [{}, userInfo().username],
  ])('with %j is %s', (vars, name) => {
    expect(userName(vars)).toBe(name);
  });
});
