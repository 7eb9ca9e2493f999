/** Adapter of servers that speak the Open Inference Protocol, version 2: one model at the asked scale, read back. */
import { type Clock, systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import { type KservePlan, scaleControlOf } from '../records/server-plans/kserve.ts';
import type { RunningServer, ServerAdapter, ServerChange, ServerStart } from './adapter.ts';
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
import { LaunchedServer } from './launched/http-server.ts';

const queryTimeoutNs = seconds(10);
const name = 'the inference server';

export function kserveAdapter(
  plan: KservePlan,
  findPorts?: (count: number) => Promise<readonly number[]>,
): ServerAdapter {
  return { kind: 'kserve', start: (start) => startKserve(plan, start, findPorts) };
}

async function startKserve(
  plan: KservePlan,
  start: ServerStart,
  findPorts?: (count: number) => Promise<readonly number[]>,
): Promise<RunningServer> {
  const { timeLeft, elapsed } = stopwatch(start.readyTimeoutNs, systemClock);
  const readyPath = scaleControlOf(plan) === 'repository' ? '/v2/health/live' : '/v2/health/ready';
  const server = await LaunchedServer.start({ name, plan, start, readyPath, ...(findPorts ? { findPorts } : {}) });
  try {
    const asked = { server, plan, timeLeft, signal: start.signal };
    const found = await setUpModel(asked, plan, start);
    server.noteWorkers();
    return new KserveServer(server, plan, found, elapsed());
  } catch (thrown) {
    await server[Symbol.asyncDispose]();
    throw thrown;
  }
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
  readonly request;
  readonly sampleBodies: readonly Uint8Array[];
  readonly readyNs: Nanoseconds;
  readonly otherPids: readonly number[];
  readonly reconfigure: ((change: ServerChange) => Promise<void>) | null;
  readonly #server: LaunchedServer;
  readonly #plan: KservePlan;

  constructor(server: LaunchedServer, plan: KservePlan, { description, requests }: FoundModel, readyNs: Nanoseconds) {
    this.#server = server;
    this.#plan = plan;
    this.description = description;
    const { headers, bodies } = requests;
    this.request = {
      url: `${server.baseUrl}${modelPath(plan)}/infer`,
      method: 'POST',
      headers: { ...plan.headers, ...headers },
    };
    this.sampleBodies = bodies;
    this.readyNs = readyNs;
    this.otherPids = server.otherPids();
    this.reconfigure = scaleControlOf(plan) === 'repository' ? (change) => this.#change(change) : null;
  }

  async #change(change: ServerChange): Promise<void> {
    const { timeLeft } = stopwatch(change.readyTimeoutNs, systemClock);
    const asked = { server: this.#server, plan: this.#plan, timeLeft, signal: change.signal };
    await setUpModel(asked, this.#plan, change);
    // A model that runs in processes of its own has new ones.
    this.#server.noteWorkers();
  }

  async workers() {
    return this.#server.workerPids().map((pid) => ({ pid, mpsEnabled: null, multiprocessorCount: null }));
  }

  counters() {
    return readStatistics({ server: this.#server, plan: this.#plan, timeLeft: () => queryTimeoutNs });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

function stopwatch(limitNs: Nanoseconds, clock: Clock) {
  const origin = clock.origin();
  const elapsed = (): Nanoseconds => clock.offsetNs(origin);
  return { elapsed, timeLeft: (): Nanoseconds => ns(Math.max(0, limitNs - elapsed())) };
}
