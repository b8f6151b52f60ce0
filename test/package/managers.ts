/** The ways in which a user runs a tarball without installing it. */
export interface Manager {
  name: string;
  /** A package of npm that brings it; null: it comes with Node. */
  brought: string | null;
  /** The command line, without the arguments of the program. @param tarball absolute path */
  command(tarball: string): string[];
}

const brought = (name: string): string[] => ['npx', '--yes', '--package', name];

export const MANAGERS: readonly Manager[] = [
  { name: 'npx', brought: null, command: (tarball) => ['npx', '--yes', '--package', tarball, 'coupon-cli'] },
  { name: 'pnpm dlx', brought: 'pnpm', command: (tarball) => [...brought('pnpm'), 'pnpm', '--package', tarball, 'dlx', 'coupon-cli'] },
  {
    name: 'yarn dlx',
    brought: '@yarnpkg/cli-dist',
    command: (tarball) => [
      ...brought('@yarnpkg/cli-dist'),
      'yarn',
      'dlx',
      '--quiet',
      '--package',
      `coupon-cli@file:${tarball}`,
      'coupon-cli',
    ],
  },
];
