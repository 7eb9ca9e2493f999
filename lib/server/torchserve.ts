/** Adapter of TorchServe: a front end of ours on ports of its own, one model, and workers counted before they are believed. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { isRunning, type ProcessIdentity, processIdentity } from '../core/process-identity.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import type { TorchservePlan } from '../records/server-plans/torchserve.ts';
import type { RunningServer, ServerAdapter, ServerChange, ServerStart, WorkerFacts } from './adapter.ts';
import { oneLine } from './model-setup.ts';
import type { TorchservePorts } from './torchserve/configuration.ts';
import { TorchserveFrontEnd } from './torchserve/front-end.ts';
import {
  describeModel,
  type ModelDescription,
  readCounters,
  setUpModel,
  unregisterModel,
  workersSaid,
} from './torchserve/management.ts';
import { lastWorkerError } from './torchserve/model-log.ts';
import { freePorts } from './torchserve/ports.ts';

const queryTimeoutNs = seconds(10);

export function torchserveAdapter(
  plan: TorchservePlan,
  choosePorts: () => Promise<TorchservePorts> = freePorts,
): ServerAdapter {
  return { kind: 'torchserve', start: (start) => startTorchserve(plan, start, choosePorts) };
}

async function startTorchserve(
  plan: TorchservePlan,
  start: ServerStart,
  choosePorts: () => Promise<TorchservePorts>,
): Promise<RunningServer> {
  const clock = systemClock;
  const origin = clock.origin();
  const timeLeft = (): Nanoseconds => ns(Math.max(0, start.readyTimeoutNs - clock.offsetNs(origin)));
  const bodies = requestBodies(plan);
  const frontEnd = await TorchserveFrontEnd.start(plan, start, choosePorts);
  try {
    const { workers, batchSize, signal } = start;
    const model = await setUpModel({ frontEnd, plan, scale: { workers, batchSize }, timeLeft, signal });
    const server = new TorchserveServer(frontEnd, plan, bodies, model);
    await server.check({ timeoutNs: timeLeft(), signal });
    server.readyNs = clock.offsetNs(origin);
    return server;
  } catch (thrown) {
    await frontEnd[Symbol.asyncDispose]();
    throw thrown;
  }
}

class TorchserveServer implements RunningServer {
  readonly description: string;
  readonly request;
  readonly sampleBodies: readonly Uint8Array[];
  readonly otherPids: readonly number[];
  /** Until the first answer. */
  readyNs = 0 as Nanoseconds;
  readonly #frontEnd: TorchserveFrontEnd;
  readonly #plan: TorchservePlan;
  #workers: readonly ProcessIdentity[];

  constructor(
    frontEnd: TorchserveFrontEnd,
    plan: TorchservePlan,
    bodies: readonly Uint8Array[],
    model: ModelDescription,
  ) {
    this.#frontEnd = frontEnd;
    this.#plan = plan;
    this.description = `TorchServe, ${basename(plan.model)}`;
    this.request = {
      url: `${frontEnd.inferenceUrl}/predictions/${plan.modelName}`,
      method: 'POST',
      headers: { 'content-type': plan.contentType },
    };
    this.sampleBodies = bodies;
    this.otherPids = frontEnd.pids();
    this.#workers = identities(model);
  }

  /** The first request, and the same again: both must be answered 200. */
  async check(limits: { readonly timeoutNs: Nanoseconds; readonly signal: AbortSignal }): Promise<void> {
    const { url, headers } = this.request;
    const body = this.sampleBodies[0] as Uint8Array;
    for (let time = 0; time < 2; time++) {
      const { status, text } = await this.#frontEnd.ask(url, { method: 'POST', body, headers, ...limits });
      if (status === 200) continue;
      const what = `TorchServe answered ${status} to POST ${url}: ${oneLine(text)}`;
      const advice = 'name a request that the handler takes, as server.body with server.contentType';
      throw new MpsbenchError('SERVER_CHECK_FAILED', `${what}; ${advice}; ${workersSaid(this.#frontEnd)}`);
    }
  }

  /** Batch size and workers are those of a registration: the model is taken away and registered anew. */
  readonly reconfigure = async ({ workers, batchSize, readyTimeoutNs, signal }: ServerChange): Promise<void> => {
    const origin = systemClock.origin();
    const timeLeft = (): Nanoseconds => ns(Math.max(0, readyTimeoutNs - systemClock.offsetNs(origin)));
    const [frontEnd, plan] = [this.#frontEnd, this.#plan];
    await frontEnd.endWorkers(this.#workers, signal);
    await unregisterModel({ frontEnd, plan, timeLeft, signal });
    const model = await setUpModel({ frontEnd, plan, scale: { workers, batchSize }, timeLeft, signal });
    this.#workers = identities(model);
    await this.check({ timeoutNs: timeLeft(), signal });
  };

  async workers(): Promise<readonly WorkerFacts[]> {
    const timeLeft = (): Nanoseconds => queryTimeoutNs;
    const model = await describeModel(this.#frontEnd, this.#plan, { timeLeft }).catch((cause: unknown) => {
      throw new MpsbenchError('WORKER_DIED', `TorchServe and its workers are gone: ${messageOf(cause)}`, { cause });
    });
    // TorchServe lists a worker that it has not missed yet, and replaces one that it has.
    const listed = new Set(model.workers.map((worker) => worker.pid));
    const gone = this.#workers.filter((worker) => !listed.has(worker.pid) || !isRunning(worker));
    if (gone.length === 0)
      return this.#workers.map(({ pid }) => ({ pid, mpsEnabled: null, multiprocessorCount: null }));
    const pids = gone.map((worker) => worker.pid).join(', ');
    const why = lastWorkerError(this.#frontEnd.modelLog()) ?? 'it told no error';
    throw new MpsbenchError('WORKER_DIED', `a worker of TorchServe died (pid ${pids}): ${why}; see the model's log`);
  }

  counters() {
    return readCounters(this.#frontEnd, queryTimeoutNs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#frontEnd[Symbol.asyncDispose]();
  }
}

function identities({ workers }: ModelDescription): ProcessIdentity[] {
  return workers.flatMap(({ pid }) => processIdentity(pid) ?? []);
}

/** The plan's body, or sentences of different lengths, which a handler of texts takes. */
function requestBodies({ body }: TorchservePlan): readonly Uint8Array[] {
  if (body === null) return sampleSentences();
  try {
    return [readFileSync(body)];
  } catch (cause) {
    const what = `cannot read the request body ${body}: ${messageOf(cause)}`;
    throw new MpsbenchError('BODY_UNREADABLE', `${what}; name a readable file as server.body`, { cause });
  }
}

function sampleSentences(): Uint8Array[] {
  const words = 'measured figures of one host tell more than those of another with the same name'.split(' ');
  return Array.from({ length: 8 }, (_, index) => new TextEncoder().encode(words.slice(0, 6 + index).join(' ')));
}
