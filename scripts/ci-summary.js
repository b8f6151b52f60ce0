// Prints the closing line of a CI run from vitest's JSON report and the names of failed steps, and exits accordingly.
// A report that is missing, counted no test, or contradicts itself is a failure: silence must never look like success.
import { readFileSync } from 'node:fs';

/** Tests that may be skipped, by full name, each with its reason. */
const ALLOWED_SKIPS = new Map([]);

const [reportPath, ...failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let usable = false;

try {
  const report = JSON.parse(readFileSync(reportPath, 'utf8'));
  passed = report.numPassedTests;
  const failedSuites = report.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed'),
  );
  failed = report.numFailedTests + failedSuites.length;
  const skipped = report.testResults
    .flatMap((suite) => suite.assertionResults)
    .filter((test) => ['pending', 'skipped', 'todo', 'disabled'].includes(test.status));
  for (const { fullName } of skipped) {
    const reason = ALLOWED_SKIPS.get(fullName);
    console.log(`skipped: ${fullName} (${reason ?? 'not on the list of allowed skips: counts as failed'})`);
    if (reason === undefined) failed += 1;
  }
  if (!report.success) failed = Math.max(1, failed);
  usable = passed + failed > 0;
} catch (error) {
  console.log(`no usable test report: ${error.message}`);
}

for (const step of failedSteps) console.log(`failed step: ${step}`);
if (!usable || failedSteps.length > 0) failed = Math.max(1, failed);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
