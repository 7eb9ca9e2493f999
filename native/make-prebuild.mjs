// Puts the addon for this machine, and the cross-built one for linux-arm64, where the loader looks for prebuilt ones.
// With --if-possible a missing cross compiler is told and passed over; without it, it is an error.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** e_machine of the ELF header, by Node's name of the architecture. */
const elfMachines = { x64: 62, arm64: 183 };
const crossCompiler = 'aarch64-linux-gnu-g++';

function libcTag() {
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

/** Throws if the file is no ELF binary for `arch`: a prebuild that cannot load is worse than none. */
function assertBuiltFor(file, arch) {
  const header = readFileSync(file).subarray(0, 20);
  const isElf = header.subarray(0, 4).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]));
  const machine = header.readUInt16LE(18);
  if (isElf && machine === elfMachines[arch]) return;
  throw new Error(
    `${file} was not built for ${arch} (ELF machine ${isElf ? machine : 'none'}); remove its folder and build again`,
  );
}

/** Highest version of a symbol family that the binary asks for: what the target's libraries must have. */
function floorOf(file, family) {
  const versions = readFileSync(file, 'latin1').matchAll(new RegExp(`${family}_(\\d+(?:\\.\\d+)+)`, 'g'));
  const sorted = [...versions].map((match) => match[1]).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return sorted.at(-1) ?? 'none';
}

function install(source, arch, libc) {
  assertBuiltFor(source, arch);
  const target = join(root, 'prebuilds', `linux-${arch}`, `mpsbench.${libc}.node`);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
  const floors = ['GLIBC', 'GLIBCXX'].map((family) => `${family} ${floorOf(target, family)}`).join(', ');
  console.log(`prebuilt ${target.slice(root.length)} (needs ${floors})`);
}

function cmakeJs(args) {
  const child = spawnSync(process.execPath, [require.resolve('cmake-js/bin/cmake-js'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (child.status !== 0)
    throw new Error(`cmake-js ${args[0]} ended with ${child.status ?? child.signal}; its output is above`);
}

function prebuildHere() {
  const source = join(root, 'build/Release/mpsbench.node');
  if (!existsSync(source)) throw new Error(`${source} is not there; build it first: npm run build:native`);
  const loaded = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(source)})`], { encoding: 'utf8' });
  if (loaded.status !== 0) {
    const why = loaded.stderr.match(/^.*Error: .*$/m)?.[0] ?? `${loaded.signal ?? loaded.status}`;
    throw new Error(`${source} does not load: ${why}; build it again: npm run build:native`);
  }
  install(source, process.arch, libcTag());
}

function prebuildArm64(ifPossible) {
  if (process.arch === 'arm64') return;
  if (spawnSync(crossCompiler, ['--version']).status !== 0) {
    const advice = `no ${crossCompiler} on PATH (Debian: apt install g++-aarch64-linux-gnu)`;
    if (!ifPossible) throw new Error(`cannot build for linux-arm64: ${advice}`);
    console.log(`no prebuild for linux-arm64: ${advice}`);
    return;
  }
  const toolchain = join(root, 'native/cmake/aarch64-linux-gnu.cmake');
  const folder = ['-O', 'build-arm64/Release', '-a', 'arm64'];
  cmakeJs(['configure', ...folder, `--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`]);
  cmakeJs(['build', ...folder]);
  install(join(root, 'build-arm64/Release/mpsbench.node'), 'arm64', 'glibc');
}

function main(args) {
  const unknown = args.find((argument) => argument !== '--if-possible');
  if (unknown !== undefined) throw new Error(`unknown option '${unknown}'; the only one is --if-possible`);
  if (process.platform !== 'linux') {
    console.log('no prebuilds: the native addon is for Linux');
    return;
  }
  prebuildHere();
  prebuildArm64(args.includes('--if-possible'));
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`make-prebuild: ${error.message}`);
  process.exitCode = 1;
}
