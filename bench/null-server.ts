/** Builds and starts the server that answers at once, on one core of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { buildProgram } from './build-program.ts';

/** Throws when it cannot be built; the compiler's output is then on the terminal. */
export function buildNullServer(): Promise<string> {
  return buildProgram('null_server');
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
