import { OUTCOMES, noOutcomes } from '../../campaign/outcome.ts';
import { plainName } from '../evidence/issued-row.ts';
import { userIdProblem } from '../../campaign/ids.ts';
import { printable } from '../../lib/text/visible.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import { outcomeCode } from '../checks/integrity.ts';
import { captureFrom, replyOf } from '../load/capture.ts';
import { classifier } from '../load/classify.ts';
import { UserTable } from '../plan/user-table.ts';
import { UserDirectory } from '../plan/user-plan.ts';
import type { LoadResult } from '../ports.ts';
import { latenciesOf } from '../record/histogram.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { badImport, formatOf, readRows, type Cells, type Field, type Format, type Mapping } from './formats.ts';
import { timesOf } from './times.ts';

/** What another load tool recorded, as if it were a load of ours. */
export interface ImportedLoad {
  load: LoadResult;
  users: UserDirectory;
  /** The tool, or the kind of file. */
  format: string;
}

type ImportScenario = Pick<Scenario, 'coupons' | 'outcomes' | 'issueId' | 'perUser'>;

/**
 * @param scenario says which coupons there are, and what statuses mean
 * @param mapping where fields stand, before what is known of the format
 * @throws CouponError `BAD_IMPORT` naming the line
 */
export async function importLoad(
  file: string,
  chunks: AsyncIterable<string>,
  scenario: ImportScenario,
  mapping: Mapping,
): Promise<ImportedLoad> {
  const rows = new Rows(scenario, mapping);
  try {
    await readRows(
      chunks,
      (names, json) => rows.begin(names, json),
      (cells, line) => rows.add(cells, line),
    );
    return rows.end();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'BAD_IMPORT') throw error;
    throw badImport(`${file} cannot be read: ${code === undefined || !/^E[A-Z]+$/.test(code) ? message : code}`);
  }
}

class Rows {
  readonly #mapping: Mapping;
  readonly #coupons: Map<string, number>;
  readonly #classify: ReturnType<typeof classifier>;
  readonly #users = new UserTable(['userId'], 'userId');
  readonly #requests = new Map<string, number>();
  #format: Format = { name: '', mapping: {} };
  readonly #user: number[] = [];
  readonly #coupon: number[] = [];
  readonly #requestId: number[] = [];
  readonly #sentUs: number[] = [];
  readonly #doneUs: number[] = [];
  readonly #outcome: number[] = [];
  readonly #status: number[] = [];
  readonly #issued: { row: number; id: string }[] = [];
  readonly #issueId: Scenario['issueId'];
  /** Issued coupons are told apart by their names. */
  readonly #apart: boolean;
  readonly #seen = new Set<Field>();
  /** Rows so far named no coupon. */
  #unnamed = false;

  constructor({ coupons, outcomes, issueId, perUser }: ImportScenario, mapping: Mapping) {
    this.#issueId = issueId;
    this.#apart = issueId !== null && perUser !== 1;
    this.#mapping = mapping;
    this.#coupons = new Map(coupons.map(({ id }, index) => [id, index]));
    this.#classify = classifier(outcomes);
  }

  begin(names: readonly string[], json: boolean): void {
    const format = formatOf(names, json);
    this.#format = { ...format, mapping: { ...format.mapping, ...this.#mapping } };
    const { status, outcome } = this.#format.mapping;
    if (status === undefined && outcome === undefined)
      throw badImport(
        `the file has neither a status nor an outcome (its columns are ${names.slice(0, 20).join(', ')})`,
        'Say where with --map status=COLUMN or outcome=COLUMN.',
      );
  }

  add(cells: Cells, line: number): void {
    if (this.#format.skip?.(cells)) return;
    const cell = (field: Field): string | null => {
      const name = this.#format.mapping[field];
      const value = name === undefined ? null : cells(name);
      if (value !== null) this.#seen.add(field);
      return value;
    };
    const named = cell('coupon');
    if (named !== null && this.#user.length > 0 && this.#unnamed) this.#forget();
    const coupon = this.#couponOf(named, line);
    if (coupon === null) return;
    const userId = cell('user') ?? `request-${line}`;
    const why = userIdProblem(userId);
    if (why !== null) throw badImport(`line ${line}: "${printable(userId, 40)}" is not a user id: it ${why}`);
    if (plainName(userId) === null)
      throw badImport(`line ${line}: "${userId}" names no user`, 'Leave such lines out, or map another column.');
    this.#users.add([userId]);
    const request = cell('request');
    const known = request === null ? undefined : this.#requests.get(request);
    if (request !== null && known === undefined) this.#requests.set(request, this.#user.length);
    const { sentUs, doneUs } = timesOf(cell, line);
    const { status, outcome } = this.#outcomeOf(cell, line);
    if (outcome === outcomeCode('accepted')) this.#name(cell, line);
    this.#unnamed = named === null;
    this.#requestId.push(known ?? this.#user.length);
    this.#user.push(this.#users.rowOf(userId));
    this.#coupon.push(coupon);
    this.#sentUs.push(sentUs);
    // A request without an answer was lost on its way.
    this.#doneUs.push(outcome === outcomeCode('unknown') ? Number.NaN : doneUs);
    this.#outcome.push(outcome);
    this.#status.push(status);
  }

  /** Requests from before the first that names a coupon were about something else. */
  #forget(): void {
    for (const column of [this.#user, this.#coupon, this.#requestId, this.#sentUs, this.#doneUs, this.#outcome, this.#status])
      column.length = 0;
    this.#issued.length = 0;
    this.#requests.clear();
  }

  /** The coupon that an accepted reply names, in a column of its own or in the body. */
  #name(cell: (field: Field) => string | null, line: number): void {
    if (this.#issueId === null) return;
    const id = cell('issue') ?? captureFrom(this.#issueId, replyOf([], cell('body') ?? ''));
    if (id !== null) this.#issued.push({ row: this.#user.length, id });
    else if (this.#apart)
      throw badImport(
        `line ${line}: an accepted request without the name of its coupon`,
        'Map it with --map issue=COLUMN, or the reply with --map body=COLUMN.',
      );
  }

  #couponOf(written: string | null, line: number): number | null {
    if (written !== null) {
      const known = this.#coupons.get(written);
      if (known !== undefined) return known;
      throw badImport(
        `line ${line}: the scenario has no coupon "${printable(written, 40)}"`,
        'Name all coupons of the file in the scenario, or map another column.',
      );
    }
    // Where the file names coupons, requests without one are logins and the like.
    return this.#coupons.size === 1 && !this.#seen.has('coupon') ? 0 : null;
  }

  #outcomeOf(cell: (field: Field) => string | null, line: number): { status: number; outcome: number } {
    const said = cell('outcome');
    const code = cell('status');
    const status = code !== null && /^\d{3}$/.test(code) ? Number(code) : 0;
    if (said !== null) {
      if (!(OUTCOMES as readonly string[]).includes(said))
        throw badImport(
          `line ${line}: "${printable(said, 40)}" is no outcome${suggestion(said, OUTCOMES)}`,
          `Outcomes are ${OUTCOMES.join(', ')}.`,
        );
      return { status, outcome: outcomeCode(said as (typeof OUTCOMES)[number]) };
    }
    // k6 writes 0, JMeter a text, for a request that got no answer.
    return { status, outcome: status === 0 ? outcomeCode('unknown') : this.#classify(status, cell('body') ?? '') };
  }

  end(): ImportedLoad {
    const { length } = this.#user;
    if (length === 0)
      throw badImport(
        'there is no request in the file that names one of the coupons',
        'Map the columns with --map, such as coupon=tags.coupon.',
      );
    const timed = this.#seen.has('sent') || this.#seen.has('done');
    const paired = timed && (this.#seen.has('elapsed') || (this.#seen.has('sent') && this.#seen.has('done')));
    const lacks = [...(this.#seen.has('user') ? [] : (['users'] as const)), ...(paired ? [] : (['times'] as const))];
    let zeroUs = Number.POSITIVE_INFINITY;
    for (const us of this.#sentUs) if (us < zeroUs) zeroUs = us;
    const relative = (times: readonly number[]): Float64Array => Float64Array.from(times, (us) => (paired ? us - zeroUs : Number.NaN));
    const record = {
      length,
      user: Uint32Array.from(this.#user),
      coupon: Uint16Array.from(this.#coupon),
      requestId: Uint32Array.from(this.#requestId),
      intendedUs: relative(this.#sentUs),
      sentUs: relative(this.#sentUs),
      doneUs: relative(this.#doneUs),
      outcome: Uint8Array.from(this.#outcome),
      status: Uint16Array.from(this.#status),
      ...(lacks.length > 0 ? { lacks } : {}),
    };
    const outcomes = noOutcomes();
    for (const code of record.outcome) outcomes[OUTCOMES[code]!] += 1;
    let lastUs = 0;
    for (const us of record.doneUs) if (us > lastUs) lastUs = us;
    const latencies = latenciesOf(record);
    const none = { p50: 0, p99: 0, max: 0 };
    return {
      users: new UserDirectory({ count: this.#users.length, prefix: '', start: 0, table: this.#users }),
      format: this.#format.name,
      load: {
        record,
        outcomes,
        planned: length,
        latencies,
        fromPlanned: latencies,
        seconds: lastUs / 1e6,
        startedAt: new Date(Number.isFinite(zeroUs) ? zeroUs / 1_000 : 0),
        interrupted: false,
        targetLost: false,
        aborted: null,
        ranOut: [],
        unexplained: [],
        ...(this.#issued.length > 0
          ? { issueIds: { row: Uint32Array.from(this.#issued, (one) => one.row), id: this.#issued.map((one) => one.id) } }
          : {}),
        generator: {
          vus: 0,
          requestsPerSecond: lastUs > 0 ? (1e6 * (length - outcomes.unknown - outcomes.unsent)) / lastUs : 0,
          eventLoopUtilization: 0,
          eventLoopLagMs: none,
          startLagMs: null,
          cpuShare: null,
          reconnects: 0,
          faults: {},
          limited: false,
        },
      },
    };
  }
}
