// npm's "install" script. A prebuilt binary that loads is taken; otherwise cmake-js builds one. Failing to build does
// not fail the install: lib/native/addon.ts says at run time what is missing.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const fromSource = process.env.npm_config_build_from_source === 'true' || process.env.MPSBENCH_BUILD === 'source';

/** Loads in a child, since an addon that crashes must not take the installer down. Returns '' or why it failed. */
function failureToLoad() {
  const code = `require('node-gyp-build')(${JSON.stringify(root)})`;
  const child = spawnSync(process.execPath, ['-e', code], { cwd: root, encoding: 'utf8' });
  if (child.status === 0) return '';
  return child.stderr.match(/^.*Error: .*$/m)?.[0] ?? `exit ${child.status} ${child.signal ?? ''}`;
}

function main() {
  if (process.platform !== 'linux') {
    console.log('mpsbench: the native addon is for Linux; load and report work without it');
    return 0;
  }
  let why = 'asked to build from source';
  if (!fromSource) {
    why = failureToLoad();
    if (why === '') {
      console.log('mpsbench: using the native addon that is there');
      return 0;
    }
  }
  console.log(`mpsbench: building the native addon (${why})`);
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
  const build = spawnSync(process.execPath, [cmakeJs, fromSource ? 'rebuild' : 'compile'], {
    cwd: root,
    stdio: 'inherit',
  });
  const bad = build.status === 0 ? failureToLoad() : `cmake-js ended with ${build.status ?? build.signal}`;
  if (bad === '') return 0;
  console.error(
    `mpsbench: no native addon: ${bad}\n` +
      'mpsbench: it needs CMake >= 3.20, make or ninja, and a C++20 compiler (Debian: apt install cmake g++ make); then run npm rebuild mpsbench',
  );
  return fromSource || process.env.CI ? 1 : 0;
}

process.exitCode = main();
