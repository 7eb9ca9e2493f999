/** Adapter of servers that speak the Open Inference Protocol, version 2: one model at the asked scale, read back. */
import { type Clock, systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import { canSwitch, type KservePlan, scaleControlOf } from '../records/server-plans/kserve.ts';
import type { RunningServer, ServerAdapter, ServerChange, ServerCounters, ServerStart } from './adapter.ts';
import { type InferRequests, inferRequests } from './kserve/infer-requests.ts';
import { configAt, type Scale, scaleProblem } from './kserve/model-config.ts';
import {
  type AskedModel,
  checkInference,
  isModelReady,
  loadModel,
  modelPath,
  readModelConfig,
  readModelMetadata,
  readServerMetadata,
  readStatistics,
  unloadModel,
} from './kserve/protocol.ts';
import { LaunchedServer, type LaunchSettings } from './launched/http-server.ts';

const queryTimeoutNs = seconds(10);
const name = 'the inference server';

export type KserveAdapterOptions = Pick<LaunchSettings, 'gpuPids' | 'findPorts'>;

export function kserveAdapter(plan: KservePlan, options: KserveAdapterOptions = {}): ServerAdapter {
  return { kind: 'kserve', attached: plan.url !== null, start: (start) => startKserve(plan, start, options) };
}

async function startKserve(
  plan: KservePlan,
  start: ServerStart,
  options: KserveAdapterOptions,
): Promise<RunningServer> {
  const { elapsed } = stopwatch(start.readyTimeoutNs, systemClock);
  const each = plan.processes === 'one' ? start : { ...start, workers: 1 };
  const count = plan.processes === 'one' ? 1 : start.workers;
  const started = await Promise.allSettled(
    Array.from({ length: count }, (_, index) => startOne(plan, each, count === 1 ? null : index + 1, options)),
  );
  const servers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed === undefined) return new KserveServer(servers, plan, elapsed());
  await Promise.all(servers.map(({ server }) => server[Symbol.asyncDispose]()));
  throw failed.reason;
}

async function startOne(
  plan: KservePlan,
  start: ServerStart,
  worker: number | null,
  options: KserveAdapterOptions,
): Promise<ServedModel> {
  const { timeLeft } = stopwatch(start.readyTimeoutNs, systemClock);
  const readyPath = scaleControlOf(plan) === 'repository' ? '/v2/health/live' : '/v2/health/ready';
  const server = await LaunchedServer.start({ name, plan, start, readyPath, worker, ...options });
  try {
    const found = await setUpModel({ server, plan, timeLeft, signal: start.signal }, plan, start);
    server.noteWorkers();
    return { server, ...found };
  } catch (thrown) {
    await server[Symbol.asyncDispose]();
    throw thrown;
  }
}

interface ServedModel extends FoundModel {
  readonly server: LaunchedServer;
}

interface FoundModel {
  readonly description: string;
  readonly requests: InferRequests;
}

/** The model at a scale, read back as far as the server tells it, and one request answered. */
async function setUpModel(asked: AskedModel, plan: KservePlan, scale: Scale): Promise<FoundModel> {
  if (scaleControlOf(plan) === 'repository') await loadAt(asked, scale);
  await waitUntilModelReady(asked);
  const config = await readModelConfig(asked);
  const problem = config === null ? null : scaleProblem(config, scale);
  if (problem !== null) {
    const advice = 'tell the server its scale by {workers} and {batchSize} in server.launch, or set server.control';
    throw new MpsbenchError('SERVER_SCALE_FAILED', `${plan.model} ${problem}; ${advice}; ${asked.server.logTail()}`);
  }
  const model = await readModelMetadata(asked);
  const requests = inferRequests(plan, model);
  await checkInference(asked, requests.bodies[0] as Uint8Array, requests.headers);
  const about = await readServerMetadata(asked);
  const platform = model.platform === '' ? '' : ` (${model.platform})`;
  const proof = config === null ? ', scale as launched' : '';
  return { description: `${about.name} ${about.version}, ${plan.model}${platform}${proof}`, requests };
}

/** A model that was never loaded has no configuration to change yet. */
async function loadAt(asked: AskedModel, scale: Scale): Promise<void> {
  if (!(await isModelReady(asked))) await loadModel(asked, null);
  const config = await readModelConfig(asked);
  if (config !== null) {
    await unloadModel(asked);
    return await loadModel(asked, configAt(config, scale));
  }
  const what = `${asked.server.name} does not tell the configuration of ${asked.plan.model}, so that it cannot be changed`;
  const advice = 'use {workers} and {batchSize} in server.launch, or set server.control to launch';
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}; ${advice}`);
}

function waitUntilModelReady({ server, plan, timeLeft, signal }: AskedModel): Promise<void> {
  const limits = { timeoutNs: timeLeft(), signal: signal ?? new AbortController().signal };
  return server.waitFor(`${modelPath(plan)}/ready`, limits);
}

class KserveServer implements RunningServer {
  readonly description: string;
  readonly request: RunningServer['request'];
  readonly sampleBodies: readonly Uint8Array[];
  readonly readyNs: Nanoseconds;
  readonly reconfigure: ((change: ServerChange) => Promise<void>) | null;
  readonly #servers: readonly LaunchedServer[];
  readonly #plan: KservePlan;

  constructor(served: readonly ServedModel[], plan: KservePlan, readyNs: Nanoseconds) {
    const [first] = served as [ServedModel, ...ServedModel[]];
    this.#servers = served.map(({ server }) => server);
    this.#plan = plan;
    this.description = first.description;
    const { headers, bodies } = first.requests;
    const endpoints = this.#servers.map(({ baseUrl }) => `${baseUrl}${modelPath(plan)}/infer`);
    const url = endpoints[0] as string;
    this.request = { url, method: 'POST', headers: { ...plan.headers, ...headers }, endpoints };
    this.sampleBodies = bodies;
    this.readyNs = readyNs;
    this.reconfigure = canSwitch(plan) ? (change) => this.#change(first.server, change) : null;
  }

  get otherPids(): readonly number[] {
    return this.#servers.flatMap((server) => server.otherPids());
  }

  async #change(server: LaunchedServer, change: ServerChange): Promise<void> {
    const { timeLeft } = stopwatch(change.readyTimeoutNs, systemClock);
    await setUpModel({ server, plan: this.#plan, timeLeft, signal: change.signal }, this.#plan, change);
    // A model that runs in processes of its own has new ones.
    server.noteWorkers();
  }

  async workers() {
    const pids = this.#servers.flatMap((server) => server.workerPids());
    return pids.map((pid) => ({ pid, mpsEnabled: null, multiprocessorCount: null }));
  }

  async counters(): Promise<ServerCounters | null> {
    const timeLeft = () => queryTimeoutNs;
    const all = await Promise.all(
      this.#servers.map((server) => readStatistics({ server, plan: this.#plan, timeLeft })),
    );
    const known = all.filter((counters) => counters !== null);
    if (known.length < all.length) return null;
    const sum = (key: keyof ServerCounters): number => known.reduce((total, counters) => total + counters[key], 0);
    return { batches: sum('batches'), requests: sum('requests') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

function stopwatch(limitNs: Nanoseconds, clock: Clock) {
  const origin = clock.origin();
  const elapsed = (): Nanoseconds => clock.offsetNs(origin);
  return { elapsed, timeLeft: (): Nanoseconds => ns(Math.max(0, limitNs - elapsed())) };
}
