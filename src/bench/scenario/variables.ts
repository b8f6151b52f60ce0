import type { UserOptions } from '../plan/user-plan.ts';
import type { FollowUps } from './follow-ups.ts';
import { checkVariables, fitsType, OWN_VARIABLES, tableVariables, typedVariables, type RequestTemplate, type Wanted } from './request.ts';
import { capturedBy, stepsWithKnown, type Step, type StepsPart } from './steps.ts';
import type { Report } from '../../lib/yaml/issues.ts';

interface Requests extends StepsPart {
  request: RequestTemplate;
  followUps: FollowUps;
}

/** Requests that are sent for one user. */
function ofUser({ request, followUps: { poll }, prepare }: Requests): RequestTemplate[] {
  return [...prepare.map((step) => step.request), request, ...(poll ? [poll.request] : [])];
}

/** What the requests of a user take from the table of users: every variable that nothing else fills in. */
export function wantedFromTable(requests: Requests): Wanted {
  const { setup, before, prepare, followUps } = requests;
  const captured = [...capturedBy([...setup, ...before, ...prepare]), ...Object.keys(followUps.poll?.capture ?? {})];
  return tableVariables(ofUser(requests), captured);
}

/** Every variable of every request must be known when it is sent, and be of the type that it is sent as. */
export function checkAllVariables(requests: Requests, users: UserOptions, coupons: number, report: Report): void {
  const { setup, before, prepare, teardown, request, followUps } = requests;
  const columns = users.table?.columns ?? [];
  // Which coupon a step would be about is only clear where there is one.
  const ofRun = coupons === 1 ? ['couponId'] : [];
  const afterSetup = [...ofRun, ...capturedBy([...setup, ...before])];
  const ofEachUser = [...afterSetup, 'userId', ...columns];
  const check = (part: string, steps: readonly Step[], given: readonly string[]): void => {
    stepsWithKnown(steps, given).forEach(({ step, known }, index) => {
      if ('request' in step) checkVariables(step.request, known, [part, index], report);
    });
  };
  check('setup', setup, ofRun);
  check('before', before, [...ofRun, ...capturedBy(setup)]);
  check('prepare', prepare, ofEachUser);
  check('teardown', teardown, afterSetup);
  const inLoad = [...OWN_VARIABLES, ...columns, ...afterSetup, ...capturedBy(prepare)];
  checkVariables(request, inLoad, ['request'], report);
  const { poll } = followUps;
  if (poll) checkVariables(poll.request, [...inLoad, ...Object.keys(poll.capture)], ['poll'], report);
  checkTypes(requests, users, report);
}

/** User ids and cells of the table; what is captured is checked when it is. */
function checkTypes(requests: Requests, users: UserOptions, report: Report): void {
  const { table, prefix, start, count } = users;
  for (const { name, type } of typedVariables(ofUser(requests))) {
    const column = table?.columns.indexOf(name === 'userId' ? table.idColumn : name) ?? -1;
    const values = function* (): Generator<string> {
      if (column >= 0) for (let row = 0; row < table!.length; row += 1) yield table!.value(row, column);
      else if (name === 'userId' && !table) yield* [`${prefix}${start}`, `${prefix}${start + count - 1}`];
    };
    for (const value of values()) {
      if (fitsType(value, type)) continue;
      const fix = name === 'userId' && !table ? `; with users.prefix: '' ids are plain numbers` : '';
      report(['request', 'json'], `{{${name}:${type}}} cannot be sent: "${value}" is no ${type}${fix}`);
      break;
    }
  }
}
