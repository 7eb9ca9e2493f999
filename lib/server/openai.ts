/** Adapter of servers of text generation with OpenAI's API: one per worker or one for all, and a streamed answer checked. */
import { z } from 'zod';
import { systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns } from '../core/units.ts';
import type { OpenaiPlan } from '../records/server-plans/openai.ts';
import type { RunningServer, ServerAdapter, ServerStart } from './adapter.ts';
import { LaunchedServer, type LaunchSettings } from './launched/http-server.ts';
import { type Served, startServers, stopServers, workersOf } from './launched/server-group.ts';
import { oneLine, parseJson } from './model-setup.ts';
import { textRequests } from './openai/prompts.ts';

const name = 'the text server';
const headers = { 'content-type': 'application/json' };

export type OpenaiAdapterOptions = Pick<LaunchSettings, 'gpuPids' | 'findPorts'>;

export function openaiAdapter(plan: OpenaiPlan, options: OpenaiAdapterOptions = {}): ServerAdapter {
  return { kind: 'openai', attached: plan.url !== null, start: (start) => startOpenai(plan, start, options) };
}

async function startOpenai(
  plan: OpenaiPlan,
  start: ServerStart,
  options: OpenaiAdapterOptions,
): Promise<RunningServer> {
  const origin = systemClock.origin();
  const count = plan.url === null && plan.processes === 'per-worker' ? start.workers : 1;
  const served = await startServers(count, (worker) => startOne(plan, start, worker, options));
  const [{ model, bodies }] = served;
  const endpoints = served.map(({ server }) => `${server.baseUrl}${pathOf(plan)}`);
  return {
    description: `${model} by ${pathOf(plan)}`,
    request: {
      url: endpoints[0] as string,
      method: 'POST',
      headers: { ...plan.headers, ...headers },
      endpoints,
      stream: 'openai',
    },
    sampleBodies: bodies,
    readyNs: systemClock.offsetNs(origin),
    otherPids: served.flatMap(({ server }) => server.otherPids()),
    reconfigure: null,
    workers: async () => workersOf(served),
    counters: async () => null,
    [Symbol.asyncDispose]: () => stopServers(served),
  };
}

interface ServedText extends Served {
  readonly model: string;
  readonly bodies: readonly Uint8Array[];
}

async function startOne(
  plan: OpenaiPlan,
  start: ServerStart,
  worker: number | null,
  options: OpenaiAdapterOptions,
): Promise<ServedText> {
  const origin = systemClock.origin();
  const timeLeft = (): Nanoseconds => ns(Math.max(0, start.readyTimeoutNs - systemClock.offsetNs(origin)));
  const server = await LaunchedServer.start({ name, plan, start, readyPath: plan.readyPath, worker, ...options });
  try {
    const limits = { timeoutNs: timeLeft(), signal: start.signal };
    const model = plan.model ?? (await firstModel(server, limits));
    const bodies = textRequests(plan, model);
    await checkAnswer(server, plan, bodies[0] as Uint8Array, { ...limits, timeoutNs: timeLeft() });
    server.noteWorkers();
    return { server, model, bodies };
  } catch (thrown) {
    await server[Symbol.asyncDispose]();
    throw thrown;
  }
}

type Limits = { readonly timeoutNs: Nanoseconds; readonly signal: AbortSignal };

const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })).min(1) });

async function firstModel(server: LaunchedServer, limits: Limits): Promise<string> {
  const { status, text } = await server.ask('/v1/models', limits);
  const [first] = modelsSchema.safeParse(parseJson(text)).data?.data ?? [];
  if (status === 200 && first) return first.id;
  const what = `${server.name} lists no model: GET /v1/models gave ${status} ${oneLine(text)}`;
  throw new MpsbenchError('SERVER_CHECK_FAILED', `${what}; name one as server.model; ${server.logTail()}`);
}

/** One streamed answer with text in it. */
async function checkAnswer(server: LaunchedServer, plan: OpenaiPlan, body: Uint8Array, limits: Limits): Promise<void> {
  const { status, text } = await server.ask(pathOf(plan), { method: 'POST', headers, body, ...limits });
  const events = text.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
  const failed = events.some((line) => /^data: *\{"error"/.test(line));
  if (status === 200 && events.length > 1 && !failed) return;
  const what = `${server.name} streamed no answer to POST ${pathOf(plan)}: ${status} ${oneLine(text)}`;
  const advice = 'mend server.api, server.model or server.parameters';
  throw new MpsbenchError('SERVER_CHECK_FAILED', `${what}; ${advice}; ${server.logTail()}`);
}

function pathOf({ api }: OpenaiPlan): string {
  return api === 'chat' ? '/v1/chat/completions' : '/v1/completions';
}
