import { OUTCOMES, type Outcome } from '../../campaign/outcome.ts';
import type { HttpReply } from '../../lib/net/http-exchange.ts';
import { classifier } from '../load/classify.ts';
import { captureFrom } from '../load/capture.ts';
import { retryAfterMs } from '../load/follow-up.ts';
import { UserDirectory } from '../plan/user-plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { couponValue, valuesOf } from './prepare.ts';
import { asCaptured, type StepClient, type Values } from './step-client.ts';

export interface TryOptions {
  scenario: Scenario;
  client: StepClient;
  /** One of the users of the scenario, or any other where ids are made by rule. */
  userId: string;
  couponId: string;
  sleep: (ms: number) => Promise<void>;
}

/** One user through all steps: set-up, preparation, the request with all that follows, and the teardown. @returns the outcome */
export async function tryUser({ scenario, client, userId, couponId, sleep }: TryOptions): Promise<Outcome> {
  const { setup, before, prepare, teardown, request } = scenario;
  const afterSetup = await client.run([...setup, ...before], couponValue(scenario));
  try {
    const users = new UserDirectory(scenario.users);
    const number = users.numberOf(userId);
    const own = number < users.planned ? valuesOf(scenario, users, users.columns, number) : { ...couponValue(scenario), userId };
    const prepared = await client.run(prepare, { ...own, ...afterSetup });
    const values = { ...prepared, couponId, requestId: `try-${Date.now().toString(36)}` };
    const reply = await client.send('request', request, values, scenario.followUps.redirects);
    return await followed({ scenario, client, sleep }, values, reply);
  } finally {
    await client.run(teardown, afterSetup);
  }
}

async function followed(
  { scenario, client, sleep }: Pick<TryOptions, 'scenario' | 'client' | 'sleep'>,
  values: Values,
  first: HttpReply,
): Promise<Outcome> {
  const { retry, poll } = scenario.followUps;
  const classify = classifier(scenario.outcomes);
  const outcomeOf = (reply: HttpReply): Outcome => OUTCOMES[classify(reply.status, reply.body, headerPairs(reply))]!;
  let reply = first;
  let outcome = outcomeOf(reply);
  const times = retry?.times ?? 0;
  for (let again = 0; again < times && (retry!.on as readonly Outcome[]).includes(outcome); again += 1) {
    const said = retry!.retryAfter ? retryAfterMs(reply.headers['retry-after'] ?? null) : null;
    await sleep(said ?? retry!.delayMs);
    reply = await client.send('request again', scenario.request, values, scenario.followUps.redirects);
    outcome = outcomeOf(reply);
  }
  if (!poll || outcome !== 'queued') return outcome;
  const captured = { ...values };
  for (const [name, rule] of Object.entries(poll.capture)) {
    const value = captureFrom(rule, asCaptured(reply));
    if (value === null) return outcome;
    captured[name] = value;
  }
  const until = performance.now() + poll.timeoutMs;
  while (outcome === 'queued' && performance.now() + poll.everyMs < until) {
    await sleep(poll.everyMs);
    outcome = outcomeOf(await client.send('poll', poll.request, captured));
  }
  return outcome;
}

function headerPairs({ headers }: HttpReply): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => (one === undefined ? [] : [name, one])));
}
