/** Starts the server that knows its own truth, and asks it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Names and units are those of truth_server.cc. */
export interface TruthServerOptions {
  readonly fast_us: number;
  readonly slow_us?: number;
  readonly slow_per_thousand?: number;
  readonly stall_at_ms?: number;
  readonly stall_ms?: number;
}

/** By the server's own clock, from the request's arrival in its kernel to its reply written. Times are CLOCK_MONOTONIC, 0 = not yet. */
export interface Truth {
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
  readonly firstArrivalNs: number;
  readonly firstAcceptNs: number;
  readonly connectionsMost: number;
  readonly acceptErrno: number;
}

export interface TruthServer extends AsyncDisposable {
  readonly url: string;
  truth(): Promise<Truth>;
  /** Forgets what was measured; a stall comes again, counted from the next request. */
  reset(): Promise<void>;
}

/** `before` is put in front of the command, such as a limit on its descriptors. */
export async function startTruthServer(
  program: string,
  core: number,
  options: TruthServerOptions,
  before: readonly string[] = [],
): Promise<TruthServer> {
  const settings = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  const [command = '', ...rest] = [...before, 'taskset', '-c', String(core), program, ...settings];
  const child: ChildProcess = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const [port] = await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  const url = `http://127.0.0.1:${String(port).trim()}/`;
  return {
    url,
    truth: async () => (await (await fetch(`${url}truth`)).json()) as Truth,
    reset: async () => {
      await (await fetch(`${url}reset`)).text();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await closed;
    },
  };
}
