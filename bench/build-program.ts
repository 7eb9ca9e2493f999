/** Builds the C++ programs that the benchmarks run against. */
import { join } from 'node:path';
import { root, runCommand } from '../test/runner/command.ts';

const folder = 'build-bench/Release';

/** Path of the built program of bench/CMakeLists.txt. Throws when it cannot be built; the output is then shown. */
export async function buildProgram(name: string): Promise<string> {
  const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js');
  const options = ['--CDMPSBENCH_BUILD_BENCH=ON', '--CDMPSBENCH_BUILD_ADDON=OFF'];
  for (const step of [
    ['configure', '-O', folder, ...options],
    ['build', '-O', folder, '-T', name],
  ]) {
    const done = await runCommand(process.execPath, [cmakeJs, ...step], { output: 'on-failure' });
    if (!done.ok) throw new Error(`cmake-js ${step[0]} failed (${done.ending})`);
  }
  return join(root, folder, 'bench', name);
}
