#!/usr/bin/env node
// An older Node cannot even read the program: one sentence instead of a stack trace.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: coupon-cli needs Node.js 20.19 or newer; this is ${process.versions.node} (${process.execPath})\n`);
  process.exitCode = 2;
} else {
  await import('../dist/main.js');
}
