/** Builds and starts the server that answers at once, on one core of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root, runCommand } from '../test/runner/command.ts';

const folder = 'build-bench/Release';

/** Throws when it cannot be built; the compiler's output is then on the terminal. */
export async function buildNullServer(): Promise<string> {
  const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js');
  const options = ['--CDMPSBENCH_BUILD_BENCH=ON', '--CDMPSBENCH_BUILD_ADDON=OFF'];
  for (const step of [
    ['configure', '-O', folder, ...options],
    ['build', '-O', folder, '-T', 'null_server'],
  ]) {
    const done = await runCommand(process.execPath, [cmakeJs, ...step], { output: 'on-failure' });
    if (!done.ok) throw new Error(`cmake-js ${step[0]} failed (${done.ending})`);
  }
  return join(root, folder, 'bench/null_server');
}

export interface NullServer extends AsyncDisposable {
  readonly url: string;
}

export async function startNullServer(program: string, core: number, responseBytes: number): Promise<NullServer> {
  const child: ChildProcess = spawn('taskset', ['-c', String(core), program, String(responseBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const [port] = await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  return {
    url: `http://127.0.0.1:${String(port).trim()}/`,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await closed;
    },
  };
}
