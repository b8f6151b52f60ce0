import { SecretMask } from '../lib/secrets.ts';
import type { Env, OutputStream } from './env.ts';

/** The world of a command, whose streams let no secret of the settings through. */
export interface MaskedEnv extends Env {
  /** For what leaves in another way than over the streams. */
  secrets: SecretMask;
  /** For `dev env` alone, whose purpose it is to print them. */
  stdoutWithSecrets: OutputStream;
}

/** Variables that hold a secret or a URL with one. */
const URLS = ['REDIS_URL', 'DATABASE_URL'];
const SECRETS = ['PGPASSWORD'];

export function maskedEnv(env: Env, secrets = new SecretMask()): MaskedEnv {
  learnVariables(secrets, env.vars);
  learnArguments(secrets, env.argv);
  const masked = (stream: OutputStream): OutputStream => ({
    write: (text) => stream.write(secrets.mask(text)),
    ...(stream.drained ? { drained: () => stream.drained!() } : {}),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
    onResize: (listener) => stream.onResize(listener),
  });
  return { ...env, secrets, stdout: masked(env.stdout), stderr: masked(env.stderr), stdoutWithSecrets: env.stdout };
}

function learnArguments(secrets: SecretMask, argv: readonly string[]): void {
  for (const [index, argument] of argv.entries()) {
    const [, flag, inline] = /^--(redis-url|database-url)(?:=(.*))?$/s.exec(argument) ?? [];
    if (flag !== undefined) secrets.learnUrl(inline ?? argv[index + 1]);
    else if (/:\/\//.test(argument)) secrets.learnUrl(argument);
    // Behind a wrong flag, or behind none: a message about that repeats the argument as a whole.
    const misplaced = flag === undefined && !/^--(redis-url|database-url)$/.test(argv[index - 1] ?? '');
    const [, url] = /\b(?:rediss?|postgres(?:ql)?):\/*(.*)$/s.exec(argument) ?? [];
    if (misplaced) secrets.learn(url);
  }
}

export function learnVariables(secrets: SecretMask, vars: Readonly<Record<string, string | undefined>>): void {
  for (const name of URLS) secrets.learnUrl(vars[name]);
  for (const name of SECRETS) secrets.learn(vars[name]);
}
