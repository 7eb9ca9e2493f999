/** The recommended configuration as something to copy: daemon, environment and server, for the adapter of the study. */
import { z } from 'zod';
import { shellWord } from '../core/shell-word.ts';
import { type Cell, parseArm } from '../records/arm.ts';
import type { ServerPlan } from '../records/plan.ts';
import { splitArguments } from '../records/server-plans/argument-text.ts';
import { scaleControlOf } from '../records/server-plans/kserve.ts';

export const snippetSchema = z.object({
  title: z.string(),
  language: z.enum(['sh', 'properties', 'pbtxt', 'text']),
  text: z.string(),
});
export type Snippet = z.infer<typeof snippetSchema>;

const pipeDirectory = '/tmp/nvidia-mps';
const logDirectory = '/tmp/nvidia-mps-log';

/** In the order in which they are used. `deviceUuid`: null where there is no GPU. Nothing of it is run by mpsbench. */
export function deploySnippets(cell: Cell, server: ServerPlan, deviceUuid: string | null): Snippet[] {
  if (deviceUuid === null) return serverSnippets(cell, server, null);
  return [
    sharingSnippet(cell, deviceUuid),
    ...serverSnippets(cell, server, deviceUuid),
    ...(cell.arm === 'off' ? [] : [stopSnippet]),
  ];
}

/** Workers are started from the same shell, and inherit the variables. */
function sharingSnippet(cell: Cell, deviceUuid: string): Snippet {
  const arm = parseArm(cell.arm);
  if (arm.kind === 'off') {
    const lines = [
      '# No MPS daemon may run where the workers look for one: they would join it without a word.',
      `export CUDA_MPS_PIPE_DIRECTORY=/nonexistent/no-mps`,
      `export CUDA_VISIBLE_DEVICES=${deviceUuid}`,
    ];
    return { title: 'Environment of the workers, without MPS', language: 'sh', text: lines.join('\n') };
  }
  const share = arm.activeThreadPercentage;
  const lines = [
    `mkdir -p ${pipeDirectory} ${logDirectory}`,
    `export CUDA_MPS_PIPE_DIRECTORY=${pipeDirectory} CUDA_MPS_LOG_DIRECTORY=${logDirectory}`,
    `export CUDA_VISIBLE_DEVICES=${deviceUuid}`,
    'nvidia-cuda-mps-control -d',
    '# The variables below and above must be in the environment of every worker, which runs as the same user.',
    ...(share === null ? [] : [`export CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=${share}`]),
  ];
  return { title: 'MPS daemon and environment of the workers', language: 'sh', text: lines.join('\n') };
}

const stopSnippet: Snippet = {
  title: 'To stop: the workers first, then the daemon',
  language: 'sh',
  text: `export CUDA_MPS_PIPE_DIRECTORY=${pipeDirectory}\necho quit | nvidia-cuda-mps-control`,
};

function serverSnippets(cell: Cell, server: ServerPlan, deviceUuid: string | null): Snippet[] {
  switch (server.kind) {
    case 'embedded':
      return [embedded(cell, server, deviceUuid)];
    case 'torchserve':
      return torchserve(cell, server);
    case 'kserve':
      return kserve(cell, server, deviceUuid);
    case 'openai':
    case 'command':
      return [launched(cell, server, server.processes, deviceUuid)];
    case 'attached':
      return [attached(cell, server)];
  }
}

type Plan<Kind extends ServerPlan['kind']> = Extract<ServerPlan, { readonly kind: Kind }>;

function embedded(cell: Cell, plan: Plan<'embedded'>, deviceUuid: string | null): Snippet {
  const words = [
    ...['mpsbench', 'serve', '--workload', plan.workload],
    ...(typeof plan.model === 'string' ? ['--model', plan.model] : []),
    ...['--workers', String(cell.workers), '--batch-size', String(cell.batchSize)],
    ...['--max-batch-delay', `${plan.maxBatchDelay / 1e6}ms`, '--queue-limit', String(plan.queueLimit)],
    ...(deviceUuid === null ? [] : ['--device', deviceUuid]),
  ];
  return { title: 'Embedded server', language: 'sh', text: words.map(shellWord).join(' ') };
}

function torchserve(cell: Cell, plan: Plan<'torchserve'>): Snippet[] {
  const properties = {
    inference_address: 'http://127.0.0.1:8080',
    management_address: 'http://127.0.0.1:8081',
    job_queue_size: plan.queueSize,
    default_response_timeout: plan.responseTimeout / 1e9,
    number_of_gpu: 1,
    enable_model_api: true,
    disable_token_authorization: true,
    ...plan.config,
  };
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}`);
  const start = ['torchserve', '--foreground', '--ts-config', 'config.properties'];
  const store = plan.modelStore ?? (/^https?:/.test(plan.model) ? null : parentOf(plan.model));
  const archive = /^https?:/.test(plan.model) ? plan.model : (plan.model.split('/').at(-1) ?? plan.model);
  const query = new URLSearchParams({
    url: archive,
    model_name: plan.modelName,
    batch_size: String(cell.batchSize),
    max_batch_delay: String(plan.maxBatchDelay / 1e6),
    initial_workers: String(cell.workers),
    synchronous: 'true',
  });
  const scale = new URLSearchParams({
    min_worker: String(cell.workers),
    max_worker: String(cell.workers),
    synchronous: 'true',
  });
  const commands = [
    [...start, ...(store === null ? [] : ['--model-store', store])].map(shellWord).join(' '),
    '# In another shell, once it answers:',
    `curl -X POST ${shellWord(`http://127.0.0.1:8081/models?${query}`)}`,
    '# An archive that names its own number of workers wins over the line above:',
    `curl -X PUT ${shellWord(`http://127.0.0.1:8081/models/${plan.modelName}?${scale}`)}`,
  ];
  return [
    { title: 'config.properties of TorchServe', language: 'properties', text: lines.join('\n') },
    { title: 'TorchServe and its management API', language: 'sh', text: commands.join('\n') },
  ];
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? '.' : path.slice(0, Math.max(1, cut));
}

function kserve(cell: Cell, plan: Plan<'kserve'>, deviceUuid: string | null): Snippet[] {
  const start = plan.launch === null ? [] : [launched(cell, plan, plan.processes, deviceUuid)];
  if (scaleControlOf(plan) === 'launch') return start;
  const kind = deviceUuid === null ? 'KIND_CPU' : 'KIND_GPU';
  const batching =
    cell.batchSize === 1
      ? []
      : [`max_batch_size: ${cell.batchSize}`, `dynamic_batching { preferred_batch_size: [ ${cell.batchSize} ] }`];
  const instances = plan.processes === 'one' ? cell.workers : 1;
  const lines = [...batching, `instance_group [ { count: ${instances} kind: ${kind} } ]`];
  return [{ title: `config.pbtxt of ${plan.model}`, language: 'pbtxt', text: lines.join('\n') }, ...start];
}

function launched(
  cell: Cell,
  plan: { readonly launch: string | readonly string[] | null; readonly environment: Readonly<Record<string, string>> },
  processes: 'one' | 'per-worker',
  deviceUuid: string | null,
): Snippet {
  const values: Readonly<Record<string, string>> = {
    workers: String(cell.workers),
    batchSize: String(cell.batchSize),
    ...(deviceUuid === null ? {} : { deviceUuid }),
  };
  const perWorker = processes === 'per-worker' && cell.workers > 1;
  const variables = Object.entries(plan.environment).map(([name, text]) => `${name}=${word(text, values)}`);
  const launch = plan.launch ?? [];
  const words = (typeof launch === 'string' ? splitArguments(launch) : launch).map((part) => word(part, values));
  const free = '# PORT, GRPC_PORT, METRICS_PORT and LOG_DIRECTORY are yours to choose.';
  const count = perWorker ? [`# Once for each of the ${cell.workers} workers, WORKER from 1 to ${cell.workers}:`] : [];
  return {
    title: plan.launch === null ? 'The server runs already: bring it to this scale' : 'Server',
    language: 'sh',
    text: [free, ...count, [...variables, ...words].join(' ')].join('\n'),
  };
}

const shellNames: Readonly<Record<string, string>> = {
  port: 'PORT',
  grpcPort: 'GRPC_PORT',
  metricsPort: 'METRICS_PORT',
  worker: 'WORKER',
  logDirectory: 'LOG_DIRECTORY',
};

/** A placeholder of the cell becomes its value; one that each start fills anew becomes a variable of the shell. */
function word(text: string, values: Readonly<Record<string, string>>): string {
  const parts = text.split(/(\{\{[A-Za-z]+\}\}|\{[A-Za-z]+\})/).filter((part) => part !== '');
  const filled = parts.map((part) => {
    const name = /^\{([A-Za-z]+)\}$/.exec(part)?.[1];
    if (/^\{\{/.test(part)) return shellWord(part.slice(1, -1));
    if (name !== undefined && shellNames[name] !== undefined) return `"$${shellNames[name]}"`;
    return shellWord((name === undefined ? undefined : values[name]) ?? part);
  });
  return filled.length === 0 ? "''" : filled.join('');
}

function attached(cell: Cell, plan: Plan<'attached'>): Snippet {
  const endpoints = plan.endpoints.filter(
    (endpoint) =>
      endpoint.workers === cell.workers && endpoint.batchSize === cell.batchSize && endpoint.arm === cell.arm,
  );
  const lines = [
    `# ${cell.workers} workers at batch size ${cell.batchSize}; it answers already at:`,
    ...endpoints.map((endpoint) => `# ${endpoint.url}`),
  ];
  return { title: 'The server that was measured', language: 'text', text: lines.join('\n') };
}
