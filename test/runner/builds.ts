/** What the groups need built: dist, the addon, and the native tests plain and under each sanitizer. */
import { join } from 'node:path';
import { parallelism, root, runCommand, say } from './command.ts';

export type BuildName = 'typescript' | 'addon' | 'testNative' | 'asan' | 'tsan';

/** Where cmake-js puts each flavour, below the checkout. The loader finds asan by MPSBENCH_PREBUILD=.san/asan. */
export const buildFolders = {
  testNative: 'build-test/Release',
  asan: '.san/asan/build/Release',
  tsan: '.san/tsan/build/Release',
} as const;

const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js');
const environment = { CMAKE_BUILD_PARALLEL_LEVEL: String(parallelism) };

/** Builds at most once each; a build that failed stays failed. */
export class Builds {
  private readonly done = new Map<BuildName, Promise<boolean>>();
  private readonly reuse: boolean;

  /** `reuse`: take everything as it lies there, as a run under a second Node version does. */
  constructor(reuse: boolean) {
    this.reuse = reuse;
  }

  /** The first of `names` that cannot be built, or null. */
  async firstFailing(names: readonly BuildName[]): Promise<BuildName | null> {
    for (const name of names) {
      if (!(await this.build(name))) return name;
    }
    return null;
  }

  private build(name: BuildName): Promise<boolean> {
    const known = this.done.get(name);
    if (known) return known;
    const building = this.reuse ? Promise.resolve(true) : timed(name);
    this.done.set(name, building);
    return building;
  }
}

async function timed(name: BuildName): Promise<boolean> {
  say(`build ${name}`);
  const startNs = process.hrtime.bigint();
  const ok = await steps[name]();
  const seconds = Number(process.hrtime.bigint() - startNs) / 1e9;
  process.stdout.write(`${ok ? 'built' : 'FAILED to build'} ${name} in ${seconds.toFixed(1)} s\n`);
  return ok;
}

const steps: Record<BuildName, () => Promise<boolean>> = {
  typescript: async () => (await runCommand('npm', ['run', '--silent', 'build:ts'], { output: 'on-failure' })).ok,
  addon: async () => (await cmake(['compile'])).ok,
  testNative: () => flavour(buildFolders.testNative, ['--CDMPSBENCH_WERROR=ON']),
  asan: () => flavour(buildFolders.asan, ['--CDMPSBENCH_SANITIZE=address,undefined']),
  tsan: () => flavour(buildFolders.tsan, ['--CDMPSBENCH_SANITIZE=thread', '--CDMPSBENCH_BUILD_ADDON=OFF']),
};

/** cmake-js build ignores --CD options once there is a cache, hence configure first. */
async function flavour(folder: string, options: readonly string[]): Promise<boolean> {
  const configured = await cmake(['configure', '-O', folder, '--CDMPSBENCH_BUILD_TESTS=ON', ...options]);
  return configured.ok && (await cmake(['build', '-O', folder])).ok;
}

function cmake(commandArguments: readonly string[]): ReturnType<typeof runCommand> {
  return runCommand(process.execPath, [cmakeJs, ...commandArguments], { environment, output: 'on-failure' });
}
