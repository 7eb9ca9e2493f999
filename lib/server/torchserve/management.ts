/** TorchServe's management and metrics API: one model at the asked scale, proved by asking back. */
import { z } from 'zod';
import { MpsbenchError } from '../../core/errors.ts';
import type { Nanoseconds } from '../../core/units.ts';
import type { TorchservePlan } from '../../records/server-plans/torchserve.ts';
import type { ServerCounters } from '../adapter.ts';
import { type HttpReply, oneLine, parseJson, problemMessage } from '../model-setup.ts';
import type { TorchserveFrontEnd } from './front-end.ts';
import { ranOutOfMemory } from './model-log.ts';
import { registrationUrl } from './requirements.ts';

export interface Scale {
  readonly workers: number;
  readonly batchSize: number;
}

export interface SetUp {
  readonly frontEnd: TorchserveFrontEnd;
  readonly plan: TorchservePlan;
  readonly scale: Scale;
  readonly timeLeft: () => Nanoseconds;
  readonly signal: AbortSignal;
}

/** The part of `GET /models/{name}` that says what came true. */
const descriptionSchema = z
  .array(
    z.object({
      batchSize: z.number(),
      maxBatchDelay: z.number(),
      workers: z.array(z.object({ status: z.string(), pid: z.number() })),
    }),
  )
  .min(1);
export type ModelDescription = z.infer<typeof descriptionSchema>[number];

/**
 * Registers the model at a scale and proves it. An archive that names its own number of workers wins over the
 * registration without a word, hence the second step. Throws SERVER_START_FAILED if no worker loads the model,
 * SERVER_SCALE_FAILED if there is another scale than the asked one.
 */
export async function setUpModel(setUp: SetUp): Promise<ModelDescription> {
  await register(setUp);
  const registered = await describeModel(setUp.frontEnd, setUp.plan, setUp);
  if (scaleProblem(registered, setUp) === null) return registered;
  await scaleWorkers(setUp);
  const scaled = await describeModel(setUp.frontEnd, setUp.plan, setUp);
  const problem = scaleProblem(scaled, setUp);
  if (problem === null) return scaled;
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${problem}; ${setUp.frontEnd.logTail()}`);
}

/** Takes the model away; its workers are to be gone by then, since TorchServe ends those it finds by SIGKILL. */
export async function unregisterModel({ plan, frontEnd, ...setUp }: Omit<SetUp, 'scale'>): Promise<void> {
  const url = `${frontEnd.managementUrl}/models/${plan.modelName}`;
  const reply = await frontEnd.ask(url, { method: 'DELETE', timeoutNs: setUp.timeLeft(), signal: setUp.signal });
  if (reply.status === 200) return;
  const what = `TorchServe keeps its model ${plan.modelName} (${reply.status}): ${problemMessage(reply.text)}`;
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}; ${frontEnd.logTail()}`);
}

/** The model as TorchServe describes it now. Throws SERVER_SCALE_FAILED if it has none of that name. */
export async function describeModel(
  frontEnd: TorchserveFrontEnd,
  plan: TorchservePlan,
  limits: { readonly timeLeft: () => Nanoseconds; readonly signal?: AbortSignal },
): Promise<ModelDescription> {
  const url = `${frontEnd.managementUrl}/models/${plan.modelName}`;
  const { signal } = limits;
  const reply = await frontEnd.ask(url, { timeoutNs: limits.timeLeft(), ...(signal ? { signal } : {}) });
  const [model] = descriptionSchema.safeParse(parseJson(reply.text)).data ?? [];
  if (model) return model;
  const what = `TorchServe does not describe its model ${plan.modelName}: ${reply.status} ${oneLine(reply.text)}`;
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}; ${frontEnd.logTail()}`);
}

/**
 * Requests and batches since the start: the histogram of PredictionTime has one value a batch. null before the first
 * request, when TorchServe lists neither.
 */
export async function readCounters(
  frontEnd: TorchserveFrontEnd,
  timeoutNs: Nanoseconds,
): Promise<ServerCounters | null> {
  const names = ['ts_inference_requests_total', 'PredictionTime_count'];
  const query = names.map((name) => `name[]=${name}`).join('&');
  const { status, text } = await frontEnd.ask(`${frontEnd.metricsUrl}/metrics?${query}`, { timeoutNs });
  return status === 200 ? countersIn(text) : null;
}

/** The two counters in Prometheus text. */
export function countersIn(text: string): ServerCounters | null {
  const requests = /^ts_inference_requests_total\{[^}]*\} (\S+)$/m.exec(text)?.[1];
  const batches = /^PredictionTime_count\{[^}]*\} (\S+)$/m.exec(text)?.[1];
  return requests === undefined || batches === undefined
    ? null
    : { requests: Number(requests), batches: Number(batches) };
}

async function register(setUp: SetUp): Promise<void> {
  const { plan, scale, frontEnd } = setUp;
  const query = new URLSearchParams({
    url: registrationUrl(plan),
    model_name: plan.modelName,
    batch_size: String(scale.batchSize),
    // Not batch_delay, which TorchServe ignores.
    max_batch_delay: String(plan.maxBatchDelay / 1e6),
    initial_workers: String(scale.workers),
    response_timeout: String(plan.responseTimeout / 1e9),
    startup_timeout: String(Math.max(1, Math.ceil(setUp.timeLeft() / 1e9))),
    synchronous: 'true',
  });
  const reply = await ask(setUp, 'POST', `${frontEnd.managementUrl}/models?${query}`);
  if (reply.status === 200) return;
  const what = `TorchServe did not load ${plan.model} into ${scale.workers} workers (${reply.status})`;
  throw new MpsbenchError('SERVER_START_FAILED', `${what}: ${problemMessage(reply.text)}; ${workersSaid(frontEnd)}`);
}

async function scaleWorkers(setUp: SetUp): Promise<void> {
  const { plan, scale, frontEnd } = setUp;
  const workers = String(scale.workers);
  const query = new URLSearchParams({ min_worker: workers, max_worker: workers, synchronous: 'true' });
  const reply = await ask(setUp, 'PUT', `${frontEnd.managementUrl}/models/${plan.modelName}?${query}`);
  if (reply.status === 200) return;
  const what = `TorchServe did not scale ${plan.modelName} to ${workers} workers (${reply.status})`;
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}: ${problemMessage(reply.text)}; ${workersSaid(frontEnd)}`);
}

function ask({ frontEnd, timeLeft, signal }: SetUp, method: 'POST' | 'PUT', url: string): Promise<HttpReply> {
  return frontEnd.ask(url, { method, timeoutNs: timeLeft(), signal });
}

/** For messages. Lack of memory first: the study tells such a cell apart. */
export function workersSaid(frontEnd: TorchserveFrontEnd): string {
  const memory = ranOutOfMemory(frontEnd.modelLog())
    ? 'a worker was out of memory on the device (OUT_OF_MEMORY); '
    : '';
  return `${memory}${frontEnd.logTail()}`;
}

/** What was asked against what is; null if it is the same. */
function scaleProblem(model: ModelDescription, { scale, plan }: SetUp): string | null {
  const ready = model.workers.filter((worker) => worker.status === 'READY' && worker.pid > 0).length;
  const delayMs = plan.maxBatchDelay / 1e6;
  const asked = `${scale.workers} ready workers at batch size ${scale.batchSize} and a batch delay of ${delayMs} ms`;
  const found = `${ready} of ${model.workers.length} at batch size ${model.batchSize} and ${model.maxBatchDelay} ms`;
  const same =
    ready === scale.workers &&
    model.workers.length === ready &&
    model.batchSize === scale.batchSize &&
    model.maxBatchDelay === delayMs;
  return same ? null : `TorchServe was asked for ${asked} and has ${found}`;
}
