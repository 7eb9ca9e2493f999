/** Adapter of servers that are running already: asked and checked, never started, switched or stopped. */
import { Agent, request } from 'undici';
import { deadline, systemClock } from '../core/clock.ts';
import { interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { isRunning, type ProcessIdentity, processIdentity } from '../core/process-identity.ts';
import type { Nanoseconds } from '../core/units.ts';
import { type AttachedEndpoint, type AttachedPlan, endpointsOf } from '../records/server-plans/attached.ts';
import type { RunningServer, ServerAdapter, ServerStart, WorkerFacts } from './adapter.ts';
import { answerProblem, readRequestBodies } from './checked-answer.ts';

export function attachedAdapter(plan: AttachedPlan): ServerAdapter {
  return { kind: 'attached', attached: true, start: (start) => attach(plan, start) };
}

async function attach(plan: AttachedPlan, start: ServerStart): Promise<RunningServer> {
  const origin = systemClock.origin();
  const { workers, batchSize, arm = 'off' } = start;
  const endpoints = endpointsOf(plan, { workers, batchSize, arm });
  const processes = endpoints.flatMap(({ url, pids }) => pids.map((pid) => identified(pid, url)));
  const bodies = readRequestBodies(plan.bodies, 'server.bodies');
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  try {
    // Twice: what answers the first request only is no server to measure.
    for (const { url } of [...endpoints, ...endpoints]) await check(plan, start, agent, url, bodies[0] ?? null);
  } finally {
    await agent.destroy();
  }
  return new AttachedServer(plan, endpoints, bodies, processes, systemClock.offsetNs(origin));
}

function identified(pid: number, url: string): ProcessIdentity {
  const found = processIdentity(pid);
  if (found) return found;
  const advice = 'name the PIDs of its workers as this host has them, or none';
  throw new MpsbenchError(
    'SERVER_START_FAILED',
    `no process ${pid} runs here, which the plan gives for ${url}; ${advice}`,
  );
}

async function check(
  plan: AttachedPlan,
  { readyTimeoutNs, signal }: ServerStart,
  agent: Agent,
  url: string,
  body: Uint8Array | null,
): Promise<void> {
  const { method, headers, expect } = plan;
  using limit = deadline(readyTimeoutNs, signal);
  try {
    const reply = await request(url, { method, headers, body, dispatcher: agent, signal: limit });
    const problem = answerProblem({ status: reply.statusCode, text: await reply.body.text() }, expect);
    if (problem === null) return;
    const advice = 'mend method, headers, bodies or expect of the plan so that it is a request that the server takes';
    throw new MpsbenchError('SERVER_CHECK_FAILED', `the attached server ${problem} (to ${method} ${url}); ${advice}`);
  } catch (cause) {
    if (cause instanceof MpsbenchError) throw cause;
    if (signal.aborted) throw interrupted('the check of the attached server');
    const why = limit.aborted ? `no answer within ${readyTimeoutNs / 1e9} s` : messageOf(cause);
    const what = `the attached server at ${url} cannot be asked: ${why}`;
    throw new MpsbenchError('SERVER_NOT_READY', `${what}; start it, or mend its URL in the plan`, { cause });
  }
}

class AttachedServer implements RunningServer {
  readonly description: string;
  readonly request: RunningServer['request'];
  readonly sampleBodies: readonly Uint8Array[];
  readonly readyNs: Nanoseconds;
  readonly otherPids: readonly number[] = [];
  readonly mpsPipeDirectory: string | null;
  readonly reconfigure = null;
  readonly #processes: readonly ProcessIdentity[];

  constructor(
    plan: AttachedPlan,
    endpoints: readonly AttachedEndpoint[],
    bodies: readonly Uint8Array[],
    processes: readonly ProcessIdentity[],
    readyNs: Nanoseconds,
  ) {
    const urls = endpoints.map(({ url }) => url);
    const { method, headers } = plan;
    this.description = plan.description ?? `${plan.endpoints[0]?.url}`;
    this.request = { url: urls[0] as string, method, headers, endpoints: urls };
    this.sampleBodies = bodies;
    this.readyNs = readyNs;
    this.mpsPipeDirectory = endpoints.find(({ pipeDirectory }) => pipeDirectory !== null)?.pipeDirectory ?? null;
    this.#processes = processes;
  }

  /** Those that the plan names; empty where it names none. */
  async workers(): Promise<readonly WorkerFacts[]> {
    const gone = this.#processes.filter((process) => !isRunning(process)).map(({ pid }) => pid);
    if (gone.length === 0)
      return this.#processes.map(({ pid }) => ({ pid, mpsEnabled: null, multiprocessorCount: null }));
    const what = `a worker of the attached server is gone (pid ${gone.join(', ')})`;
    throw new MpsbenchError('WORKER_DIED', `${what}; see its own log, start it again and name its new PID in the plan`);
  }

  async counters(): Promise<null> {
    return null;
  }

  /** It goes on. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
