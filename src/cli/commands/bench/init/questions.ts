import type { Draft } from '../../../../bench/init/draft.ts';
import { MAX_USERS } from '../../../../bench/scenario/schema-parts.ts';
import { parseTarget } from '../../../../bench/scenario/target.ts';
import { parseWhole } from '../../../../lib/numbers.ts';
import type { Env } from '../../../env.ts';
import { Prompt } from '../../../prompt.ts';

const REQUEST = /^(POST|PUT|PATCH|GET|DELETE)\s+(\/[\x21-\x7e]*)$/i;

/** What a service is like, from a person at the terminal; `out` is the file to write. */
export async function askForDraft(env: Env, usual: Draft['outcomes']): Promise<Draft & { out: string }> {
  using prompt = new Prompt(env);
  const target = await prompt.ask({ text: 'Address of the service', initial: 'http://127.0.0.1:8080', parse: parseTarget });
  const { method, path } = await prompt.ask({
    text: 'Request for a coupon; {{couponId}} and {{userId}} are filled in',
    initial: 'POST /coupons/{{couponId}}/requests',
    parse: requestLine,
  });
  const field = await prompt.ask({
    text: 'Field of the JSON body that names the user; "-" for no body',
    initial: path.includes('{{userId}}') || method === 'GET' ? '-' : 'userId',
    parse: (answer) => (answer === '-' ? null : answer),
  });
  const numeric = (
    await prompt.ask({
      text: 'Are user ids numbers?',
      initial: 'no',
      parse: (answer) => /^(y|yes|no|n)$/i.exec(answer)?.[0] ?? fail('yes or no'),
    })
  )
    .toLowerCase()
    .startsWith('y');
  const id = await prompt.ask({ text: 'Coupon that is sold', initial: 'coupon-1', parse: (answer) => answer });
  const total = await prompt.ask({
    text: 'How many there are',
    initial: '100',
    parse: (answer) => parseWhole(answer, 'it', 1, 100_000_000),
  });
  const count = await prompt.ask({
    text: 'How many users ask (more than there are coupons, or nothing is contested)',
    initial: String(Math.min(MAX_USERS, 5 * total)),
    parse: (answer) => parseWhole(answer, 'it', 1, MAX_USERS),
  });
  const outcomes: Draft['outcomes'] = { ...usual };
  for (const [outcome, meaning] of Object.entries({
    accepted: 'an accepted request',
    duplicate: 'one that asked before',
    sold_out: '"sold out"',
  })) {
    outcomes[outcome] = await prompt.ask({
      text: `Status of the reply for ${meaning}`,
      initial: usual[outcome]!.join(', '),
      parse: (answer) => answer.split(/[\s,]+/).map((one) => parseWhole(one, 'a status', 100, 599)),
    });
  }
  const out = await prompt.ask({ text: 'Write it to', initial: 'my-sale.yaml', parse: (answer) => answer });
  const user = numeric ? '{{userId:number}}' : '{{userId}}';
  return {
    name: 'my-sale',
    target,
    coupon: { id, total },
    users: { count, numeric },
    request: { method, path, headers: {}, ...(field === null ? {} : { json: { [field]: user } }) },
    outcomes,
    secrets: [],
    insecure: false,
    out,
  };
}

function requestLine(answer: string): { method: string; path: string } {
  const [, method, path] = REQUEST.exec(answer) ?? fail('write a method and a path, such as POST /coupons/{{couponId}}/requests');
  return { method: method!.toUpperCase(), path: path! };
}

function fail(message: string): never {
  throw new Error(message);
}
