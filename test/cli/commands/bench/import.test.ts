import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { cli, type CliResult } from '../../../support/run-cli.ts';

/** A sale of five coupons to twelve users, one request every ten milliseconds, two of them asking twice. */
interface Asked {
  user: string;
  /** Milliseconds since the beginning. */
  sent: number;
  took: number;
  status: number;
}

const BEGAN = 1_790_000_000_000;
const TOTAL = 5;

function sale({ oversells = 0 } = {}): Asked[] {
  const asked: Asked[] = [];
  const winners = new Set<string>();
  for (const user of ['u1', 'u2', 'u1', 'u3', 'u4', 'u5', 'u6', 'u7', 'u2', 'u8', 'u9', 'u10', 'u11', 'u12']) {
    const status = winners.has(user) ? 409 : winners.size < TOTAL + oversells ? 201 : 410;
    if (status === 201) winners.add(user);
    asked.push({ user, sent: 10 * asked.length, took: 3.5, status });
  }
  return asked;
}

const K6_HEAD =
  'metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata';
const WRITERS: Record<string, (asked: readonly Asked[]) => string> = {
  // https://grafana.com/docs/k6/latest/results-output/real-time/csv/, K6_CSV_TIME_FORMAT=unix_micro
  'k6 (csv)': (asked) =>
    [
      K6_HEAD,
      ...asked.flatMap(({ user, sent, took, status }) => {
        const end = 1_000 * (BEGAN + sent + took);
        const tail = `,,,,true,,POST,http://x/c,HTTP/1.1,default,,${status},,,http://x/c,user=${user}&coupon=c1,`;
        return [`http_reqs,${end},1.000000${tail}`, `http_req_duration,${end},${took.toFixed(6)}${tail}`];
      }),
      `http_req_duration,${1_000 * BEGAN},1.0,,,,true,,POST,http://x/login,HTTP/1.1,default,,200,,,http://x/login,,`,
      `vus,${1_000 * BEGAN},10.000000,,,,,,,,,default,,,,,,,`,
    ].join('\n'),
  // https://grafana.com/docs/k6/latest/results-output/real-time/json/
  'k6 (json)': (asked) =>
    [
      { type: 'Metric', data: { name: 'http_req_duration', type: 'trend', contains: 'time' }, metric: 'http_req_duration' },
      ...asked.flatMap(({ user, sent, took, status }) => {
        const time = new Date(BEGAN + sent + took).toISOString().replace('Z', '500Z');
        const tags = { status: String(status), method: 'POST', user, coupon: 'c1' };
        return [
          { metric: 'http_reqs', type: 'Point', data: { time, value: 1, tags } },
          { metric: 'http_req_duration', type: 'Point', data: { time, value: took, tags } },
        ];
      }),
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
  // https://jmeter.apache.org/usermanual/listeners.html#csvlogformat, with sample_variables=userId,couponId
  'JMeter (JTL)': (asked) =>
    [
      'timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect,"userId","couponId"',
      `${BEGAN},2,login,200,OK,Thread 1-1,text,true,,1,1,1,1,http://x/login,1,0,0,u1,`,
      ...asked.map(
        ({ user, sent, took, status }) =>
          `${BEGAN + sent},${Math.round(took)},issue,${status},"OK, or not",Thread 1-1,text,true,,1,1,1,1,http://x/c,1,0,0,${user},c1`,
      ),
    ].join('\r\n'),
  NDJSON: (asked) =>
    asked
      .map(({ user, sent, took, status }) =>
        JSON.stringify({ userId: user, sent_at: new Date(BEGAN + sent).toISOString(), duration: took, status_code: status }),
      )
      .join('\n'),
};

interface Import {
  text: string;
  flags?: string[];
  issued?: readonly string[];
  changes?: object;
}

async function judged({ text, flags = [], issued = ['u1', 'u2', 'u3', 'u4', 'u5'], changes = {} }: Import): Promise<CliResult> {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  writeFileSync(join(folder, 'results'), text);
  writeFileSync(
    join(folder, 'issued.csv'),
    ['user_id,requested_at', ...issued.map((user, index) => `${user},${BEGAN + 100 * index}`)].join('\n'),
  );
  const scenario = {
    version: 1,
    name: 'other-tool',
    coupons: [{ id: 'c1', total: TOTAL }],
    users: { count: 1 },
    outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } },
    phases: [{ vus: 1 }],
    settle: { timeout: '300ms', quietFor: '20ms' },
    verify: { csv: 'issued.csv', skip: ['stock_adds_up'] },
    ...changes,
  };
  writeFileSync(join(folder, 'sale.yaml'), JSON.stringify(scenario));
  return await cli(['bench', 'verify', '--import', 'results', '--scenario', 'sale.yaml', '--json', ...flags], { cwd: folder });
}

const reportOf = (result: CliResult): BenchReport => {
  if (result.stdout === '') throw new Error(result.stderr);
  return result.json<BenchReport>();
};

describe.each(Object.entries(WRITERS))('what %s wrote', (_tool, write) => {
  test('of a sound service is proven', async () => {
    const report = reportOf(await judged({ text: write(sale()) }));
    expect({ ...report, open: report.integrity.filter(({ status }) => status !== 'pass') }).toMatchObject({
      outcomes: { accepted: 5, duplicate: 2, sold_out: 7 },
      open: [{ check: 'stock_adds_up' }],
      verdict: { integrity: 'pass' },
      exitCode: 0,
    });
    expect(report.latency.accepted!.p50).toBeGreaterThanOrEqual(3);
  });

  test('of one that sells too many is broken', async () => {
    const winners = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7'];
    const report = reportOf(await judged({ text: write(sale({ oversells: 2 })), issued: winners }));
    expect(report.exitCode).toBe(4);
  });

  test('shows users who were overtaken', async () => {
    const report = reportOf(await judged({ text: write(sale()), issued: ['u5', 'u4', 'u3', 'u2', 'u1'] }));
    expect(report.integrity.find(({ check }) => check === 'first_come_first_served')).toMatchObject({
      status: 'fail',
      reason: 'OVERTAKEN',
    });
  });
});

test('columns by other names are mapped', async () => {
  const text = ['wer;was', 'x'].join('\n');
  expect((await judged({ text })).stderr).toContain('semicolons');
  const mapped = sale()
    .map(({ user, sent, took, status }) => `${user},${BEGAN + sent},${took},${status}`)
    .join('\n');
  const result = await judged({
    text: `wer,wann,dauer,antwort\n${mapped}`,
    flags: ['--map', 'user=wer,sent=wann', '--map', 'elapsed=dauer,status=antwort'],
  });
  expect(reportOf(result).verdict.integrity).toBe('pass');
});

test('users whose ids are large numbers stay apart', async () => {
  const ids = Object.fromEntries(Array.from({ length: 12 }, (_, nth) => [`u${nth + 1}`, String(9_007_199_254_740_993n + BigInt(nth))]));
  const text = WRITERS['NDJSON']!(sale()).replaceAll(/"(u\d+)"/g, (_, user: string) => ids[user]!);
  const issued = ['u1', 'u2', 'u3', 'u4', 'u5'].map((user) => ids[user]!);
  expect(reportOf(await judged({ text, issued }))).toMatchObject({ verdict: { integrity: 'pass' }, exitCode: 0 });
});

test.each([String.raw`\N`, 'NULL', 'null', '0', '0000-00-00 00:00:00', '', '"null"'])(
  'a time that is %j is none: the answer did not come',
  async (none) => {
    const cell = none.includes('"') ? `"${none.replaceAll('"', '""')}"` : none;
    const text = `user,sent,done,status\nu1,${BEGAN},${BEGAN + 5},201\nu2,${BEGAN + 10},${cell},0`;
    const report = reportOf(await judged({ text, issued: ['u1'] }));
    expect(report.outcomes).toMatchObject({ accepted: 1, unknown: 1 });
    expect(report.integrity.filter(({ status }) => status === 'fail')).toEqual([]);
  },
);

describe('what the file does not say is not checked', () => {
  const rows = (fields: (asked: Asked) => string): string => sale().map(fields).join('\n');
  const open = (report: BenchReport) =>
    report.integrity.filter(({ status }) => status === 'not_checked').map(({ check, reason }) => `${check} ${reason}`);

  test('without times: the order, and whether a refusal was too early', async () => {
    const report = reportOf(await judged({ text: `user,status\n${rows(({ user, status }) => `${user},${status}`)}` }));
    expect(open(report)).toEqual([
      'sold_out_when_gone NO_TIMES_RECORDED',
      'first_come_first_served NO_TIMES_RECORDED',
      'stock_adds_up NO_STOCK_EVIDENCE',
    ]);
    expect(report.exitCode).toBe(5);
  });

  test('without users and times: only how many there were', async () => {
    const report = reportOf(await judged({ text: `status\n${rows(({ status }) => String(status))}` }));
    expect(report.integrity.find(({ check }) => check === 'issued_within_total')!.status).toBe('pass');
    expect(open(report)).toHaveLength(6);
    const over = await judged({
      text: `status\n${sale({ oversells: 2 })
        .map(({ status }) => status)
        .join('\n')}`,
    });
    expect(reportOf(over).integrity.find(({ check }) => check === 'issued_within_total')).toMatchObject({ reason: 'ACCEPTED_OVER_TOTAL' });
  });
});

test.each<[string, string, RegExp]>([
  ['nothing', '', /it is empty/],
  ['XML', '<?xml version="1.0"?><testResults/>', /it is XML/],
  ['an array', '[{}]', /one JSON array/],
  ['broken JSON', '{"status": 200}\n{"status"', /line 2 is no JSON/],
  ['no status', 'user,sent\nu1,1', /neither a status nor an outcome/],
  ['another coupon', 'user,coupon,status\nu1,c9,201', /line 2: the scenario has no coupon "c9"/],
  ['a user who is none', String.raw`user,status${'\n'}u1,201${'\n'}\N,201`, /line 3: "\\N" names no user/],
  ['a user who is NULL', 'user,status\nNULL,201', /line 2: "NULL" names no user/],
  ['no time', 'user,sent,status\nu1,soon,201', /line 2: "soon" is no time/],
  ['an unknown outcome', 'user,outcome\nu1,acepted', /line 2: "acepted" is no outcome.*accepted/],
])('a file with %s: exit 2', async (_name, text, words) => {
  const { exitCode, stderr } = await judged({ text });
  expect(exitCode).toBe(2);
  expect((JSON.parse(stderr) as { error: { message: string } }).error.message).toMatch(words);
});

test('flags that do not go together: exit 2', async () => {
  for (const flags of [
    ['--import', 'x'],
    ['--scenario', 'x', 'record'],
    [],
    ['--import', 'x', '--scenario', 'smoke', '--map', 'usr=x'],
    ['record', '--import', 'x'],
  ])
    expect((await cli(['bench', 'verify', ...flags])).exitCode).toBe(2);
});
