import { systemEnv } from './cli/env.ts';
import { maskedEnv } from './cli/masked-env.ts';
import { reportFailure, runCli } from './cli/program.ts';
import { SecretMask } from './lib/secrets.ts';

const env = systemEnv();
const secrets = new SecretMask();

// Libraries write there past every stream of ours: what they log with DEBUG=*, and what Node warns of.
const write = process.stderr.write.bind(process.stderr) as (chunk: unknown, ...rest: unknown[]) => boolean;
process.stderr.write = (chunk: unknown, ...rest: unknown[]) => write(typeof chunk === 'string' ? secrets.mask(chunk) : chunk, ...rest);

// Node itself would print all that the error holds; ioredis keeps the arguments of AUTH in it.
process.on('uncaughtException', (error) => {
  process.exit(reportFailure(maskedEnv(env, secrets), error));
});

// Not process.exit: what was written to a pipe must get out first.
process.exitCode = await runCli(env, secrets);
