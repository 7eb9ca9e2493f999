/** Adapter of the embedded server: a front process, one model, and workers counted before they are believed. */
import { type Clock, systemClock } from '../core/clock.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import type { EmbeddedServerPlan } from '../records/server-plans/embedded.ts';
import {
  loopbackHost,
  type RunningServer,
  type ServerAdapter,
  type ServerChange,
  type ServerStart,
  type WorkerFacts,
} from './adapter.ts';
import { FrontClient, factsSchema } from './embedded/front-client.ts';
import { resolveWorkload } from './embedded/workload.ts';
import {
  checkAnswer,
  predictionUrl,
  registerModel,
  unregisterModel,
  verifyScale,
  type WantedModel,
} from './model-setup.ts';

const modelName = 'mpsbench';
const queryTimeoutNs = seconds(10);
// The weights do not matter to a measurement, only that all trials have the same.
const modelSeed = 1;

export interface EmbeddedAdapterOptions {
  /** Path of libcuda; null = by soname. */
  readonly cudaPath: string | null;
}

export function embeddedAdapter(plan: EmbeddedServerPlan, options: EmbeddedAdapterOptions): ServerAdapter {
  return { kind: 'embedded', start: (start) => startEmbedded(plan, options, start, systemClock) };
}

async function startEmbedded(
  plan: EmbeddedServerPlan,
  options: EmbeddedAdapterOptions,
  start: ServerStart,
  clock: Clock,
): Promise<RunningServer> {
  const origin = clock.origin();
  const leftNs = (): Nanoseconds => ns(Math.max(0, start.readyTimeoutNs - clock.offsetNs(origin)));
  const { cudaPath } = options;
  const { deviceUuid } = start;
  const workload = resolveWorkload(plan, { seed: modelSeed, cudaPath, deviceUuid });
  const ports = { inferencePort: 0, managementHost: loopbackHost, managementPort: 0 };
  const front = await FrontClient.start(
    { host: start.host ?? loopbackHost, ...ports, queueLimit: plan.queueLimit, workload },
    start,
  );
  try {
    const wanted = { ...start, modelName, maxBatchDelayNs: plan.maxBatchDelay };
    const facts = await serveModel(front, wanted, leftNs);
    const readyNs = clock.offsetNs(origin);
    return new EmbeddedServer(front, facts, readyNs, async (change) => {
      const changeOrigin = clock.origin();
      const left = (): Nanoseconds => ns(Math.max(0, change.readyTimeoutNs - clock.offsetNs(changeOrigin)));
      await unregisterModel(front, modelName, left(), change.signal);
      return await serveModel(front, { ...wanted, ...change }, left);
    });
  } catch (thrown) {
    await front[Symbol.asyncDispose]();
    throw thrown;
  }
}

/** One model at the asked scale, verified and checked. */
async function serveModel(front: FrontClient, wanted: WantedModel, leftNs: () => Nanoseconds): Promise<EmbeddedFacts> {
  await registerModel(front, wanted, leftNs());
  await verifyScale(front, wanted, leftNs());
  await checkAnswer(front, wanted, sampleBodies()[0] as Uint8Array, leftNs());
  return await readFacts(front);
}

class EmbeddedServer implements RunningServer {
  readonly description: string;
  readonly request;
  readonly sampleBodies = sampleBodies();
  readonly readyNs: Nanoseconds;
  readonly otherPids: readonly number[];
  readonly reconfigure: (change: ServerChange) => Promise<void>;
  readonly #front: FrontClient;
  #firstPids: readonly number[];

  constructor(
    front: FrontClient,
    facts: EmbeddedFacts,
    readyNs: Nanoseconds,
    change: (to: ServerChange) => Promise<EmbeddedFacts>,
  ) {
    this.#front = front;
    this.description = facts.description;
    this.request = {
      url: predictionUrl(front, modelName),
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    };
    this.readyNs = readyNs;
    this.otherPids = [front.server.pid];
    this.#firstPids = workerPids(facts);
    this.reconfigure = async (to) => {
      this.#firstPids = workerPids(await change(to));
    };
  }

  async workers(): Promise<readonly WorkerFacts[]> {
    const { model } = await this.#liveFacts();
    const pids = new Set(model.workers.map((worker) => worker.pid));
    const gone = this.#firstPids.filter((pid) => !pids.has(pid));
    if (gone.length > 0 || model.workerDeaths > 0) {
      const who = gone.length > 0 ? `pid ${gone.join(', ')}` : 'a worker';
      const why = model.lastWorkerError ?? 'no reason is known';
      const what = `a worker of the embedded server died (${who}): ${why}`;
      throw new MpsbenchError('WORKER_DIED', `${what}; ${this.#front.server.logTail()}`);
    }
    return model.workers.map(({ pid, facts }) => ({
      pid,
      mpsEnabled: facts?.mpsEnabled ?? null,
      multiprocessorCount: facts?.multiprocessorCount ?? null,
    }));
  }

  /** A front that does not answer any more has taken its workers along. */
  async #liveFacts() {
    try {
      return await readFacts(this.#front);
    } catch (cause) {
      throw new MpsbenchError('WORKER_DIED', `the workers of the embedded server are gone: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  async counters() {
    const { batches, requests } = (await this.#liveFacts()).model;
    return { batches, requests };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front[Symbol.asyncDispose]();
  }
}

function workerPids({ model }: EmbeddedFacts): number[] {
  return model.workers.map((worker) => worker.pid);
}

type EmbeddedFacts = Awaited<ReturnType<typeof readFacts>>;

async function readFacts(front: FrontClient) {
  const { text } = await front.ask(`${front.managementUrl}/mpsbench/facts`, { timeoutNs: queryTimeoutNs });
  const { description, models } = factsSchema.parse(JSON.parse(text));
  const model = models.find((candidate) => candidate.modelName === modelName);
  if (model !== undefined) return { description, model };
  throw new MpsbenchError('SERVER_SCALE_FAILED', `the embedded server lost its model; ${front.server.logTail()}`);
}

/** Eight different requests of the size of a sentence; what they say only selects the input. */
function sampleBodies(): Uint8Array[] {
  const encoder = new TextEncoder();
  return Array.from({ length: 8 }, (_, index) =>
    encoder.encode(`{"text":"Sample sentence number ${index + 1} for the embedded encoder to read.", "target":1}`),
  );
}
