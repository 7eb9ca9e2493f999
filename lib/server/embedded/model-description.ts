/** What the management port tells of a model: TorchServe's description, and the facts that a study needs. */
import { readFile } from 'node:fs/promises';
import type { ModelRegistry } from './model-registry.ts';
import { modelVersion } from './model-registry.ts';
import type { ServedModel } from './served-model.ts';
import type { WorkerSlot } from './worker-slot.ts';
import { describeWorkload, type Workload } from './workload.ts';

/** The body of `GET /models/{name}`, without the brackets around it. */
export async function describeModel(model: ServedModel, workload: Workload): Promise<object> {
  const { name, url, batchSize, maxBatchDelayNs } = model.options;
  return {
    modelName: name,
    modelVersion,
    modelUrl: url,
    runtime: 'mpsbench',
    minWorkers: model.slots.length,
    maxWorkers: model.maxWorkers,
    batchSize,
    maxBatchDelay: maxBatchDelayNs / 1e6,
    status: 'ACTIVE',
    loadedAtStartup: false,
    workers: await Promise.all(model.slots.map((slot) => describeWorker(slot, workload))),
    jobQueueStatus: model.queue,
  };
}

async function describeWorker(slot: WorkerSlot, workload: Workload): Promise<object> {
  return {
    id: slot.id,
    startTime: slot.startedAt.toISOString(),
    status: slot.facts === null ? 'UNLOADING' : 'READY',
    memoryUsage: await residentBytes(slot.pid),
    pid: slot.pid,
    gpu: workload.kind === 'encoder' && workload.backend === 'cuda',
    // TorchServe gives a figure of the whole device here; what a worker holds is in /mpsbench/facts and NVML.
    gpuUsage: 'N/A',
  };
}

/** In TorchServe's form: 0 until it is known, and where the system does not tell. */
async function residentBytes(pid: number): Promise<number> {
  if (pid < 0) return 0;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** The body of `GET /mpsbench/facts`; read back by the adapter through factsSchema. */
export function serverFacts(registry: ModelRegistry): object {
  const { workload } = registry;
  return {
    description: describeWorkload(workload),
    dimensions: workload.kind === 'encoder' ? workload.dimensions : null,
    models: registry.models.map((model) => ({
      modelName: model.options.name,
      ...model.counters,
      queue: model.queue,
      workers: model.slots.map((slot) => ({ id: slot.id, pid: slot.pid, facts: slot.facts })),
    })),
  };
}
