import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Draft } from '../../../../bench/init/draft.ts';
import { usageError } from '../../../../lib/errors.ts';
import { parseWhole } from '../../../../lib/numbers.ts';
import { parseTarget } from '../../../../bench/scenario/target.ts';
import { MAX_USERS } from '../../../../bench/scenario/schema-parts.ts';
import { SAVE_AS_UTF8, utf8Text } from '../../../../lib/text/utf8.ts';
import type { Configure } from '../../../command.ts';
import type { Context } from '../../../context.ts';

const EXAMPLES = `
Examples:
  coupon-cli bench init
  coupon-cli bench init --url http://127.0.0.1:8080 --path '/coupons/{{couponId}}/issue' > my-sale.yaml
  coupon-cli bench init --from-curl "curl -X POST http://127.0.0.1:8080/api/coupons/7/issue -d '{\\"memberId\\": 1}'" --out my-sale.yaml
  coupon-cli bench init --from-openapi openapi.yaml --operation 'POST /coupons/{id}/issue' --out my-sale.yaml

Nothing is sent. Credentials of a curl command become variables of the environment.`;

interface InitFlags {
  url?: string | undefined;
  path?: string | undefined;
  method?: string | undefined;
  userField?: string | undefined;
  name: string;
  coupon: string;
  total: number;
  users: number;
  fromCurl?: string | undefined;
  fromOpenapi?: string | undefined;
  operation?: string | undefined;
  out?: string | undefined;
}

/** `bench init`, as a subcommand of `bench`. */
export const configure: Configure = (command, cli) => {
  const whole = (name: string, most: number) => (text: string) => parseWhole(text, name, 1, most);
  command
    .command('init')
    .summary('write a scenario for a service')
    .description(
      'Write a commented scenario to start from: by questions on a terminal, by flags, from a curl command or an OpenAPI description.',
    )
    .option('--url <url>', 'address of the service')
    .option('--path <path>', 'path of the request; {{couponId}} and {{userId}} are filled in')
    .option('--method <method>', 'method of the request')
    .option('--user-field <name>', 'the field, parameter or header that names the user, where it cannot be guessed')
    .option('--from-curl <command>', 'take the request from a curl command, as browsers copy it')
    .option('--from-openapi <file>', 'take the request and its statuses from an OpenAPI 3 description')
    .option('--operation <operation>', 'with --from-openapi: which one, such as "POST /coupons/{id}/issue"')
    .option('--name <name>', 'name of the scenario', 'my-sale')
    .option('--coupon <id>', 'what is sold', 'coupon-1')
    .option('--total <n>', 'how many there are', whole('--total', 100_000_000), 100)
    .option('--users <n>', 'how many users ask', whole('--users', MAX_USERS), 500)
    .option('--out <file>', 'write it there; a file that exists is kept')
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, (context) => init(context, flags));
    });
};

async function init(context: Context, flags: InitFlags): Promise<void> {
  const [{ scenarioText }, { parseScenario }] = await Promise.all([
    import('../../../../bench/init/draft.ts'),
    import('../../../../bench/scenario/scenario.ts'),
  ]);
  const asked = isAsked(context, flags) ? await questions(context) : null;
  const draft = asked ?? (await draftOf(context, flags));
  const out = asked?.out ?? flags.out;
  const text = scenarioText(draft);
  // What is written is what `bench check` accepts; the secrets need not be set yet.
  parseScenario(text, out ?? 'the scenario', { variables: Object.fromEntries(draft.secrets.map((name) => [name, 'x'])) });
  if (out === undefined) {
    context.out.data({ scenario: text, secrets: draft.secrets }, () => text.trimEnd());
    return;
  }
  try {
    await writeFile(resolve(context.env.cwd, out), text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'exists already' : `cannot be written (${code})`;
    throw usageError('BENCH_INIT', `${out} ${why}`, 'Name another file; nothing is overwritten.');
  }
  context.out.data({ file: out, secrets: draft.secrets }, () =>
    [`wrote ${out}`, ...(draft.secrets.length === 0 ? [] : [`set ${draft.secrets.join(', ')} in the environment before it is used`])].join(
      '\n',
    ),
  );
}

/** Nothing was said about the service, and there is a person to ask. */
function isAsked({ env, out }: Context, { url, path, method, userField, fromCurl, fromOpenapi, operation }: InitFlags): boolean {
  const said = [url, path, method, userField, fromCurl, fromOpenapi, operation].some((flag) => flag !== undefined);
  return !said && env.interactive && !out.json && !out.quiet;
}

async function questions(context: Context): Promise<Draft & { out: string }> {
  const [{ USUAL_OUTCOMES }, { askForDraft }] = await Promise.all([import('../../../../bench/init/draft.ts'), import('./questions.ts')]);
  return await askForDraft(context.env, USUAL_OUTCOMES);
}

async function draftOf(context: Context, flags: InitFlags): Promise<Draft> {
  const { hasNumericUsers, USUAL_OUTCOMES } = await import('../../../../bench/init/draft.ts');
  const { fromCurl, fromOpenapi, operation, userField, name, coupon, total, users } = flags;
  if (fromCurl !== undefined && fromOpenapi !== undefined)
    throw usageError('BENCH_INIT', '--from-curl and --from-openapi exclude each other', 'Give one of them.');
  if (operation !== undefined && fromOpenapi === undefined)
    throw usageError('BENCH_INIT', '--operation is about --from-openapi', 'Add --from-openapi FILE, or use --method and --path.');
  let read: Pick<Draft, 'target' | 'request'> & Partial<Pick<Draft, 'outcomes' | 'secrets' | 'insecure'>> = {
    target: null,
    request: { method: 'POST', path: '/coupons/{{couponId}}/requests', headers: {}, json: { [userField ?? 'userId']: '{{userId}}' } },
  };
  if (fromCurl !== undefined) read = (await import('../../../../bench/init/curl.ts')).fromCurl(fromCurl, userField);
  if (fromOpenapi !== undefined) {
    const module = await import('../../../../bench/init/openapi.ts');
    read = module.fromOpenApi(await textOf(context, fromOpenapi), fromOpenapi, operation, userField);
  }
  const request = {
    ...read.request,
    ...(flags.method === undefined ? {} : { method: flags.method.toUpperCase() }),
    ...(flags.path === undefined ? {} : { path: flags.path }),
  };
  if (request.method === 'GET') delete request.json;
  return {
    name,
    coupon: { id: coupon, total },
    users: { count: users, numeric: hasNumericUsers(request) },
    outcomes: USUAL_OUTCOMES,
    secrets: [],
    insecure: false,
    ...read,
    request,
    target: flags.url === undefined ? read.target : parseTarget(flags.url),
  };
}

async function textOf(context: Context, file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(resolve(context.env.cwd, file));
  } catch (error) {
    throw usageError('BENCH_INIT', `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, 'Name an OpenAPI 3 file.');
  }
  const text = utf8Text(bytes);
  if (text === null) throw usageError('BENCH_INIT', `${file} is not UTF-8`, SAVE_AS_UTF8);
  return text;
}
