// Prints the closing line of a CI run from vitest's JSON report and the names of failed steps, and exits accordingly.
// A report that is missing, counted no test, or contradicts itself is a failure: silence must never look like success.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tests that may be skipped, by full name: where, and why. */
const isRoot = process.getuid?.() === 0;
const elsewhereThanRoot = { allowed: !isRoot, reason: 'only root can become another user' };
// .ci/run installs a Chromium on Debian as root; elsewhere that is up to the machine.
const withoutChromium = { allowed: !(isRoot && existsSync('/etc/debian_version')), reason: 'no Chromium on this machine' };
const withoutTmux = { allowed: withoutChromium.allowed, reason: 'no tmux on this machine' };
const withoutPromtool = { allowed: withoutChromium.allowed, reason: 'no promtool on this machine' };
const withoutSystemd = {
  allowed: !(process.env.PATH ?? '').split(':').some((dir) => existsSync(join(dir, 'systemd-analyze'))),
  reason: 'no systemd on this machine',
};
const withoutShell = { allowed: withoutChromium.allowed, reason: 'no such shell, or no `script`, on this machine' };
const compilers = (process.env.PATH ?? '').split(':').flatMap((dir) => ['cc', 'gcc', 'clang'].map((name) => join(dir, name)));
const withoutCompiler = {
  allowed: process.platform !== 'linux' || !compilers.some((file) => existsSync(file)),
  reason: 'no C compiler, or nothing to preload into',
};
const withoutMounts = { allowed: !mayMount(), reason: 'this user may not mount a disk' };
const ALLOWED_SKIPS = new Map([
  ['a stack of root comes up where root may not look into other users’ processes, as in a container', elsewhereThanRoot],
  ['links that another user planted could be in a data folder of yet another user, which is refused', elsewhereThanRoot],
  [
    'another process on the ports of a stopped stack hears no password, and is not taken for ours, when it is another user’s',
    elsewhereThanRoot,
  ],
  ['links that another user planted lead neither a start nor a purge astray', elsewhereThanRoot],
  ['links that another user planted a stack is refused in a folder of another user', elsewhereThanRoot],
  ['works for an ordinary user without a home, on a machine without package lists', elsewhereThanRoot],
  ['the folder of a stack is refused when it belongs to another user', elsewhereThanRoot],
  ['the folder of a stack is refused as root under a folder that the user of PostgreSQL cannot enter', elsewhereThanRoot],
  ['a PostgreSQL to break commits as slowly as its disk syncs', withoutCompiler],
  ['a loss of power under everysec, where always was believed: users are lost', withoutCompiler],
  ['a Redis on a small disk ends itself when that is full, with all that it acknowledged', withoutMounts],
]);
const ALLOWED_GROUPS = new Map([
  ['ten times as many issued users take no more memory ', { allowed: true, reason: 'takes many minutes: `npm run test:million`' }],
  ['the page in a browser ', withoutChromium],
  ['the dashboard in a browser ', withoutChromium],
  ['completion in ', withoutShell],
  ['top in a real terminal ', withoutTmux],
  ['a campaign in a real terminal ', withoutTmux],
  ['the alert rules, to promtool ', withoutPromtool],
  ['systemd would say ', withoutSystemd],
  ['coupon-cli-serve.service is taken by systemd', withoutSystemd],
  ['coupon-cli-drain.service is taken by systemd', withoutSystemd],
  ['a Redis with a disk and a clock of ours ', withoutCompiler],
]);

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
    const group = [...ALLOWED_GROUPS.keys()].find((prefix) => fullName.startsWith(prefix));
    const known = ALLOWED_SKIPS.get(fullName) ?? ALLOWED_GROUPS.get(group);
    const { allowed = false, reason = 'not on the list of allowed skips' } = known ?? {};
    console.log(`skipped: ${fullName} (${reason}${allowed ? '' : '; counts as failed'})`);
    if (!allowed) failed += 1;
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

/** The capability CAP_SYS_ADMIN; root in a container often lacks it. */
function mayMount() {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return ((BigInt(`0x${effective[1]}`) >> 21n) & 1n) === 1n;
  } catch {
    return false; // not Linux
  }
}
