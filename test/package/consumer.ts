/** A project that uses the packed package, on a machine where only chosen programs are on PATH. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));
export const packageVersion = (JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string })
  .version;

/** What every Linux has and an install script may use: a shell, and the small tools. No compiler, no cmake, no make. */
const smallTools = [
  'sh',
  'env',
  'ls',
  'cat',
  'cp',
  'mv',
  'rm',
  'mkdir',
  'chmod',
  'dirname',
  'basename',
  'uname',
  'sed',
];

export interface Consumer {
  readonly folder: string;
  run(command: string, ...commandArguments: string[]): SpawnSyncReturns<string>;
}

/** A folder with only node, npm and the small tools in it. */
export function pathWithoutCompiler(folder: string): string {
  mkdirSync(folder, { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node'));
  for (const name of ['npm', ...smallTools]) symlinkSync(realpathSync(onPath(name)), join(folder, name));
  return folder;
}

function onPath(name: string): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (existsSync(join(folder, name))) return join(folder, name);
  }
  throw new Error(`${name} is not on PATH, and the test needs it`);
}

/** An empty project that installs the tarball with scripts on; `path` is the whole PATH. */
export function consumer(folder: string, path: string): Consumer {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name":"consumer","private":true,"type":"module"}\n');
  const environment = environmentWithout(['CI', 'MPSBENCH_PREBUILD', 'MPSBENCH_BUILD', 'NODE_OPTIONS']);
  return {
    folder,
    run: (command, ...commandArguments) =>
      spawnSync(command, commandArguments, {
        cwd: folder,
        env: { ...environment, PATH: path },
        encoding: 'utf8',
        timeout: 300_000,
      }),
  };
}

/** npm of the outer run tells its own scripts things that an inner npm must not hear. */
function environmentWithout(names: readonly string[]): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter(([name]) => !names.includes(name) && !/^npm_(lifecycle|package|config_local)/.test(name)),
  );
}

/** Prints the build id and the type of the clock's answer; or, on stderr, the code and message of the failure. */
export function loadsAddon(project: Consumer): SpawnSyncReturns<string> {
  const module = pathToFileURL(join(project.folder, 'node_modules/mpsbench/dist/native/addon.js'));
  const code = `import('${module}')
    .then(({ loadAddon }) => loadAddon())
    .then((addon) => console.log(addon.buildId, typeof addon.nowNs()))
    .catch((error) => console.error(error.code + ': ' + error.message))`;
  return project.run('node', '-e', code);
}

export interface PackedPackage {
  readonly tarball: string;
  /** Paths in the tarball, relative to the package. */
  readonly files: readonly string[];
}

/** npm pack of this checkout as it is built. */
export function pack(folder: string): PackedPackage {
  mkdirSync(folder, { recursive: true });
  const child = spawnSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: checkout,
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(`npm pack ended with ${child.status}: ${child.stderr}`);
  const answer: unknown = JSON.parse(child.stdout);
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (name === undefined) throw new Error(`npm pack wrote no tarball: ${child.stdout}`);
  return { tarball: join(folder, name), files: packedFiles(answer) };
}

function packedFiles(answer: unknown): string[] {
  const [first] = answer as { readonly files: readonly { readonly path: string }[] }[];
  return (first?.files ?? []).map((file) => file.path).sort();
}

/** The same tarball with no prebuilt binary in it. */
export function withoutPrebuilds(tarball: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const result = join(folder, 'source-only.tgz');
  tar('xzf', tarball, '-C', folder);
  rmSync(join(folder, 'package/prebuilds'), { recursive: true });
  tar('czf', result, '-C', folder, 'package');
  return result;
}

function tar(...commandArguments: string[]): void {
  const child = spawnSync('tar', commandArguments, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`tar ${commandArguments[0]} failed: ${child.stderr}`);
}
