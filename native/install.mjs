// npm's "install" script. From a tarball, a prebuilt binary that loads is taken; otherwise cmake-js builds one. In a
// checkout it always builds, since a binary that loads may be older than the sources. Failing to build does not fail
// the install: lib/native/addon.ts says at run time what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
/** The TypeScript sources are in a checkout, and not in the tarball. */
const inCheckout = existsSync(join(root, 'lib'));

/** Loads in a child, since an addon that crashes must not take the installer down. Returns '' or why it failed. */
function failureToLoad() {
  const code = `require('node-gyp-build')(${JSON.stringify(root)})`;
  const child = spawnSync(process.execPath, ['-e', code], { cwd: root, encoding: 'utf8' });
  if (child.status === 0) return '';
  return child.stderr.match(/^.*Error: .*$/m)?.[0] ?? `exit ${child.status} ${child.signal ?? ''}`;
}

/** Returns '' or why there is no new addon. */
function failureToBuild(command) {
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
  const build = spawnSync(process.execPath, [cmakeJs, command], { cwd: root, stdio: 'inherit' });
  return build.status === 0 ? failureToLoad() : `cmake-js ended with ${build.status ?? build.signal}`;
}

function main() {
  if (process.platform !== 'linux') {
    console.log('mpsbench: the native addon is for Linux; load and report work without it');
    return 0;
  }
  const fromSource = process.env.npm_config_build_from_source === 'true' || process.env.MPSBENCH_BUILD === 'source';
  const present = failureToLoad();
  if (present === '' && !fromSource && !inCheckout) {
    console.log('mpsbench: using the native addon that is there');
    return 0;
  }
  const why = fromSource ? 'asked to build from source' : inCheckout ? 'a checkout' : present;
  console.log(`mpsbench: building the native addon (${why})`);
  const failure = failureToBuild(fromSource ? 'rebuild' : 'compile');
  if (failure === '') return 0;
  const left = present === '' ? 'an older addon that loads is left in place' : 'there is no native addon';
  console.error(
    `mpsbench: ${left}: ${failure}\n` +
      'mpsbench: it needs CMake >= 3.20, make or ninja, and a C++20 compiler (Debian: apt install cmake g++ make); ' +
      `then run: node ${root}native/install.mjs`,
  );
  return fromSource || process.env.CI ? 1 : 0;
}

process.exitCode = main();
