import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { linksOf } from '../support/markdown.ts';
import { runToEnd } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { openStores } from '../support/stores.ts';

const run = promisify(execFile);
const clone = fileURLToPath(new URL('../../', import.meta.url));

describe('the packed tarball, installed as a user would', () => {
  const home = mkdtempSync(join(tmpdir(), 'coupon-package-'));
  let installed: string;
  let installLog: string;

  beforeAll(async () => {
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', home], { cwd: clone });
    const tarball = readdirSync(home).find((file) => file.endsWith('.tgz'))!;
    await run('npm', ['init', '--yes'], { cwd: home });
    const { stdout, stderr } = await run(
      'npm',
      ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`],
      { cwd: home },
    );
    installLog = stdout + stderr;
    installed = join(home, 'node_modules', 'coupon-cli');
  });

  it('brings what runs and nothing else', () => {
    expect(
      readdirSync(installed)
        .filter((name) => name !== 'node_modules')
        .toSorted(),
    ).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.ko.md',
      'README.md',
      'bin',
      'deploy',
      'dist',
      'docs',
      'npm-shrinkwrap.json',
      'package.json',
      'scenarios',
      'schemas',
    ]);
    // What an operator installs. An image is built from the source.
    expect(readdirSync(join(installed, 'deploy')).toSorted()).toEqual(['grafana', 'kubernetes', 'prometheus', 'systemd']);
    const files = readdirSync(installed, { recursive: true }).map(String);
    expect(files.filter((path) => !path.startsWith('node_modules') && /\.(ts|map|tsbuildinfo)$|\.test\.|^\./.test(path))).toEqual([]);
    expect(readdirSync(join(installed, 'bin'))).toEqual(['coupon-cli.js']);
    for (const path of ['src', 'test', 'bin/setup']) expect(existsSync(join(installed, path))).toBe(false);
    for (const name of ['typescript', 'vitest', 'oxlint']) expect(existsSync(join(home, 'node_modules', name))).toBe(false);
  });

  it('has documents whose links stay within it', () => {
    const pages = readdirSync(installed, { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.md') && !path.startsWith('node_modules'));
    expect(pages).toEqual(expect.arrayContaining(['docs/errors.md', 'docs/findings.md', 'docs/doctor.md']));
    // How to work on the program is in its repository.
    const elsewhere = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];
    const dead = pages.flatMap((path) =>
      linksOf({ path, text: readFileSync(join(installed, path), 'utf8') }).filter(
        (file) => !elsewhere.includes(file) && !existsSync(join(installed, file)),
      ),
    );
    expect(dead).toEqual([]);
  });

  it('installs without a complaint about the version of Node', () => {
    expect(installLog).not.toContain('EBADENGINE');
  });

  it('runs a campaign from seed to audit', async () => {
    await using stores = await openStores({ migrated: false });
    const bin = join(home, 'node_modules', '.bin', 'coupon-cli');
    const cli = (...argv: string[]) => runToEnd([...at(stores), ...argv], { bin, cwd: home });
    expect((await cli('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const argv of [
      ['migrate'],
      ['seed', '42', '--name', '여름맞이 쿠폰', '--stock', '100'],
      ['submit', '42', '--users', '300', '--duplicates', '0.5'],
      ['drain', '--until-empty', '--eager'],
      ['audit', '--scan'],
      ['inspect'],
    ]) {
      expect(await cli(...argv), argv.join(' ')).toMatchObject({ exitCode: 0 });
    }
    expect(await stores.ledger.counts('42')).toMatchObject({ issuedQuantity: 100, rows: 100 });
  });
});
