import { systemEnv } from './cli/env.ts';
import { runCli } from './cli/program.ts';

// Not process.exit: what was written to a pipe must get out first.
process.exitCode = await runCli(systemEnv());
