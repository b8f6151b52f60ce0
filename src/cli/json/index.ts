import { z } from 'zod';
import { adoptJson } from './adopt.ts';
import * as bench from './bench.ts';
import * as change from './change.ts';
import * as dev from './dev.ts';
import * as inspect from './inspect.ts';
import { topJson } from './live.ts';

/** What each command prints with `--json`, by the command; `schemas/json` is made from it. */
export const COMMAND_JSON: Readonly<Record<string, z.ZodType>> = {
  migrate: change.migrateJson,
  grants: change.grantsJson,
  'config show': change.configShowJson,
  seed: change.seedJson,
  adopt: adoptJson,
  submit: change.submitJson,
  drain: change.drainJson,
  pause: change.changeJson,
  resume: change.changeJson,
  restock: change.changeJson,
  extend: change.changeJson,
  rename: change.changeJson,
  close: change.changeJson,
  edit: change.editJson,
  log: change.logJson,
  use: change.useJson,
  revoke: change.revokeJson,
  forget: change.forgetJson,
  export: change.exportJson,
  purge: change.purgeJson,
  'dead list': inspect.deadListJson,
  'dead retry': change.deadAnswerJson,
  'dead drop': change.deadAnswerJson,
  inspect: inspect.inspectJson,
  'inspect coupon': inspect.inspectCouponJson,
  'inspect queue': inspect.inspectQueueJson,
  'inspect issued': inspect.inspectIssuedJson,
  'inspect user': inspect.inspectUserJson,
  audit: inspect.auditJson,
  top: topJson,
  'bench list': change.benchListJson,
  'bench check': bench.benchCheckJson,
  'bench try': bench.benchTryJson,
  'bench init': bench.benchInitJson,
  'bench history': bench.benchHistoryJson,
  'bench compare': bench.benchCompareJson,
  'dev up': dev.devUpJson,
  'dev down': dev.devDownJson,
  'dev env': dev.devEnvJson,
  'dev status': dev.devStatusJson,
  error: change.errorJson,
};

/** Draft 2020-12; `npx vitest run test/cli/json -u` writes the files anew. */
export function commandJsonSchema(command: string): object {
  const title = command === 'error' ? 'Error of coupon-cli with --json, on stderr' : `Answer of coupon-cli ${command} --json`;
  return { ...z.toJSONSchema(COMMAND_JSON[command]!), title };
}

/** Path of the file in `schemas`. */
export function schemaFile(command: string): string {
  return `json/${command.replaceAll(' ', '-')}.schema.json`;
}
