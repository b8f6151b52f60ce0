import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../src/bench/report/report.ts';
import type { CheckResult } from '../../../src/bench/checks/integrity.ts';
import { benchJunit } from '../../../src/bench/report/junit.ts';
import { benchMarkdown } from '../../../src/bench/report/markdown.ts';
import { benchReport } from '../../support/bench-report.ts';

const UNCHECKED: CheckResult = {
  check: 'stock_adds_up',
  couponId: 'c',
  status: 'not_checked',
  reason: 'NO_REDIS_EVIDENCE',
  count: 0,
  sample: [],
  facts: {},
};

function report(changes: Partial<BenchReport> = {}, options = {}): BenchReport {
  return { ...benchReport(options), ...changes };
}

describe('JUnit', () => {
  test('has one case for each check and each threshold, and counts them', () => {
    const xml = benchJunit(report());
    expect(xml).toContain('<testsuites name="bench" tests="10" failures="1" errors="0" time="11.995">');
    expect(xml).toContain('    <testcase classname="paper.integrity" name="first_come_first_served (c)"/>\n');
    expect(xml).toContain('<testcase classname="paper.thresholds" name="http_req_duration{outcome:accepted} max&lt;10">');
    expect(xml).toContain('<failure type="THRESHOLD" message="http_req_duration{outcome:accepted} max&lt;10: it was 66.1"/></testcase>');
    expect(xml.match(/<testcase /g)).toHaveLength(10);
  });

  test('names the users of a broken check', () => {
    const xml = benchJunit(report({}, { lost: 2 }));
    expect(xml).toContain(
      '<failure type="ACCEPTED_NOT_ISSUED" message="every accepted user has a coupon: 2 users accepted and then lost [user-0, user-1]"/>',
    );
  });

  test('a check that could not be made is an error, or skipped when the scenario lets it go', () => {
    const open = benchJunit(report({ integrity: [UNCHECKED] }));
    expect(open).toContain('errors="1"');
    expect(open).toContain('<error type="NO_REDIS_EVIDENCE" message="the stock adds up: Redis could not be read"/>');
    const let_go = benchJunit(report({ integrity: [UNCHECKED], scenario: { ...benchReport().scenario, skip: ['stock_adds_up'] } }));
    expect(let_go).toContain('errors="0" skipped="1"');
    expect(let_go).toContain('<skipped message="the stock adds up: Redis could not be read"/>');
  });

  test('is well-formed whatever the names are', () => {
    const couponId = `<&>"' \t\n \u0000\u001b \ud800 \u{1f600}`;
    const xml = benchJunit(report({ integrity: [{ ...UNCHECKED, couponId }] }));
    expect(xml).toContain(`name="stock_adds_up (&lt;&amp;&gt;&quot;' &#9;&#10; \ufffd\ufffd \ufffd \u{1f600})"`);
  });
});

describe('Markdown', () => {
  test('says the verdict, every check, every threshold and the outcomes', () => {
    const text = benchMarkdown(report());
    expect(text).toMatch(/^## bench: paper\n\nIntegrity ✅ proven, thresholds ❌ \*\*missed\*\* \(exit code 99\)\n/);
    expect(text).toContain('| ✅ | first come, first served |');
    expect(text).toContain(String.raw`| ❌ | http\_req\_duration\{outcome:accepted\} max\<10 | 66.1 |`);
    expect(text).toMatch(/\| accepted \| 300 \| \S+ \|/);
  });

  test('has latencies from when requests were due as well, where there are any', () => {
    const planned = { p50: 1, p90: 2, p99: 3.456, p999: 400.4, max: 5_000 };
    const text = benchMarkdown(report({ latencyFromPlanned: { accepted: planned } }));
    expect(text).toContain('| – from when due |  | 1 | 2 | 3.46 | 400 | 5,000 |');
  });

  test('takes names for text', () => {
    const text = benchMarkdown(report({ integrity: [{ ...UNCHECKED, sample: ['<b>|`x`*# y'] }] }));
    expect(text).toContain(String.raw`\<b\>\|\`x\`\*\# y`);
  });
});
