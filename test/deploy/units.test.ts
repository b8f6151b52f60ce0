/** Units, manifests and images start commands that exist, under probes that lead somewhere, and never as root. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/cli/settings.ts';
import { deployFile, manifests, yamlFile } from '../support/deploy.ts';
import { loadProgram, wrongCommand } from '../support/documented-commands.ts';
import { ROOT } from '../support/markdown.ts';
import { program } from '../support/shells.ts';

const known = await loadProgram();
const wrong = (words: string[]): string | null => wrongCommand(known, { words, example: true });
const isSetting = (name: string): boolean => Object.values(SETTINGS).some(({ variable }) => variable === name);

const UNITS = readdirSync(join(ROOT, 'deploy/systemd')).filter((file) => file.endsWith('.service'));
const analyze = program('systemd-analyze');

/** What `systemd-analyze verify` says on stderr; it returns 0 also where a unit cannot work. */
function verify(name: string, text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'coupon-unit-')), name);
  // Where the program is installed is up to the machine.
  writeFileSync(file, text.replaceAll('/usr/bin/coupon-cli', process.execPath));
  const { stderr, status, error } = spawnSync(analyze!, ['verify', '--man=no', file], { encoding: 'utf8' });
  if (error) throw error;
  // It looks at the units of the system, too, and what is wrong with those is not ours.
  const own = stderr.split('\n').filter((line) => line.includes(name) || line.includes(file));
  return [...own, ...(status === 0 ? [] : [`status ${status}`])].join('\n');
}

describe.each(UNITS)('%s', (unit) => {
  const text = deployFile(`systemd/${unit}`);

  it('starts a command that exists, not as root', () => {
    const [, command] = /^ExecStart=\/usr\/bin\/coupon-cli (.+)$/m.exec(text)!;
    expect(wrong(command!.split(' '))).toBeNull();
    for (const line of ['DynamicUser=yes', 'Type=notify', 'NotifyAccess=all', 'Restart=always', 'NoNewPrivileges=yes'])
      expect(text.split('\n')).toContain(line);
  });

  it.skipIf(analyze === null)('is taken by systemd without a word', () => expect(verify(unit, text)).toBe(''));
});

describe.skipIf(analyze === null)('systemd would say', () => {
  it.each([
    ['that nothing is started', /^ExecStart=.*$/m, '', /ExecStart/],
    ['that a setting does not exist', 'NoNewPrivileges=', 'NoNewPrivilege=', /NoNewPrivilege/],
    ['that a program is not there', '/usr/bin/coupon-cli', '/nowhere/coupon-cli', /nowhere/],
    ['that a duration is none', /^RestartSec=.*$/m, 'RestartSec=soon', /Failed to parse/],
  ])('%s', (_what, from, to, said) => expect(verify('planted.service', deployFile(`systemd/${UNITS[0]}`).replace(from, to))).toMatch(said));
});

it('the variables of the example are settings', () => {
  const names = [...deployFile('systemd/coupon-cli.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(1);
  expect(names.filter((name) => !isSetting(name))).toEqual([]);
});

describe('Kubernetes', () => {
  const all = manifests();
  const running = all.filter(({ spec }) => spec?.template);

  it.each(running.map((one) => [one.metadata.name, one] as const))('%s starts a command that exists, not as root', (_name, one) => {
    const { spec, metadata } = one.spec!.template!;
    const [container] = spec.containers;
    expect(wrong(container.args)).toBeNull();
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(spec.enableServiceLinks).toBe(false);
    expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
    expect(one.kind === 'Deployment' ? one.spec!.selector!.matchLabels : metadata.labels).toEqual(metadata.labels);
  });

  it.each(['serve', 'drain'])('%s has probes on the port that it listens on', (name) => {
    const { template } = running.find((one) => one.metadata.name === `coupon-cli-${name}`)!.spec!;
    const [{ args, ports, startupProbe, livenessProbe, readinessProbe }] = template!.spec.containers;
    const flag = args.indexOf('--health-port');
    const port = name === 'serve' ? Number(SETTINGS.port.fallback) : Number(args[flag + 1]);
    expect(ports).toEqual([{ name: 'http', containerPort: port }]);
    expect(template!.metadata.annotations).toMatchObject({ 'prometheus.io/port': String(port) });
    // Probes come from outside of the pod.
    expect(args).toContain('0.0.0.0');
    const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => `${probe!.httpGet.port}${probe!.httpGet.path}`);
    expect(paths).toEqual(['http/livez', 'http/livez', 'http/readyz']);
  });

  it('a service and a disruption budget select the pods of serve', () => {
    const { labels } = running.find((one) => one.metadata.name === 'coupon-cli-serve')!.spec!.template!.metadata;
    const selectors = all.filter(({ kind }) => kind === 'Service' || kind === 'PodDisruptionBudget').map(({ spec }) => spec!.selector!);
    expect(selectors.map((selector) => selector.matchLabels ?? selector)).toEqual([labels, labels]);
  });

  it('every variable is a setting', () => {
    const names = all.flatMap(({ data = {}, stringData = {} }) => [...Object.keys(data), ...Object.keys(stringData)]);
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !isSetting(name))).toEqual([]);
  });
});

describe('the image', () => {
  const text = deployFile('Dockerfile');
  const stages = text.split(/^FROM /m).slice(1);

  it('runs as a number that is not root, with the tools of the build left behind', () => {
    expect(stages).toHaveLength(2);
    expect(/^USER (\d+)/m.exec(stages[1]!)?.[1]).toBe('1000');
    expect(stages[1]).not.toMatch(/^(RUN|ADD)/m);
    expect(text).not.toContain(':latest');
  });

  it('starts the program where the package has it', () => {
    const [, path] = /^ENTRYPOINT \["node", "\/opt\/coupon-cli\/(.+)"\]$/m.exec(text)!;
    expect(yamlFile<{ bin: Record<string, string> }>('package.json').bin['coupon-cli']).toBe(path);
  });

  it('is built from files that are there, of which none is left out', () => {
    const let_in = [...deployFile('Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path!);
    expect(let_in.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const { files } = yamlFile<{ files: string[] }>('package.json');
    // `dist` is made by the build.
    const needed = ['package.json', 'npm-shrinkwrap.json', '.npmrc', 'src', 'scripts', ...files.map((path) => path.split('/')[0]!)];
    expect(needed.filter((path) => path !== 'dist' && !let_in.includes(path))).toEqual([]);
  });
});

describe('compose', () => {
  interface Service {
    image: string;
    command?: string[];
    environment?: Record<string, string>;
    ports?: string[];
    depends_on?: Record<string, unknown>;
    healthcheck?: { test: string[] };
  }
  const { services } = yamlFile<{ services: Record<string, Service> }>('deploy/compose.yaml');
  const ours = Object.entries(services).filter(([, { image }]) => image === 'coupon-cli');

  it('starts commands that exist, after what they need', () => {
    expect(ours.map(([name]) => name)).toEqual(['migrate', 'serve', 'drain']);
    for (const [name, { command, environment, depends_on: after }] of ours) {
      expect(wrong(command!), name).toBeNull();
      expect(Object.keys(environment!).filter((variable) => !isSetting(variable))).toEqual([]);
      expect(Object.keys(after!).filter((one) => !(one in services))).toEqual([]);
    }
  });

  it('lets nobody in from other machines, and has a Redis that keeps what it accepted', () => {
    expect(Object.values(services).flatMap(({ ports = [] }) => ports)).toEqual(['127.0.0.1:8080:8080']);
    expect(services['redis']!.command!.join(' ')).toMatch(/--appendonly yes --appendfsync always .*--maxmemory-policy noeviction/);
  });

  it('would be found to start what does not exist', () => expect(wrong(['serve', '--trust'])).not.toBeNull());
});
