#!/usr/bin/env node
import { existsSync } from 'node:fs';

// An older Node cannot even read the program: one sentence instead of a stack trace.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: coupon-cli needs Node.js 20.19 or newer; this is ${process.versions.node} (${process.execPath})\n`);
  process.exitCode = 2;
} else if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  // A clone, or what npm makes of a repository: `npm install --global github:…` builds nothing.
  process.stderr.write(
    'error: this copy of coupon-cli is not built; clone the repository, run `bin/setup && npm pack`, and install the tarball\n',
  );
  process.exitCode = 2;
} else {
  await import('../dist/main.js');
}
