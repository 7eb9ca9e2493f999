/** Which adapter runs the server of a plan, and what the study must know of that kind beforehand. */
import type { ServerPlan } from '../records/plan.ts';
import type { ServerAdapter } from './adapter.ts';
import { attachedAdapter } from './attached.ts';
import { commandAdapter } from './command.ts';
import { embeddedAdapter } from './embedded.ts';
import { kserveAdapter } from './kserve.ts';
import { torchserveAdapter } from './torchserve.ts';

export interface AdapterOptions {
  /** Path of libcuda; null = by soname. */
  readonly cudaPath: string | null;
  /** PIDs that the driver lists on the device under study; left out = there is no GPU. */
  readonly gpuPids?: () => ReadonlySet<number>;
}

export function chooseAdapter(plan: ServerPlan, options: AdapterOptions): ServerAdapter {
  switch (plan.kind) {
    case 'embedded':
      return embeddedAdapter(plan, options);
    case 'torchserve':
      return torchserveAdapter(plan);
    case 'kserve':
      return kserveAdapter(plan, options);
    case 'command':
      return commandAdapter(plan, options);
    case 'attached':
      return attachedAdapter(plan);
  }
}

/** Whether the workers make CUDA contexts where there is a GPU: without one, an arm mps means nothing. */
export function workersUseCuda(plan: ServerPlan): boolean {
  switch (plan.kind) {
    case 'embedded':
      return plan.workload === 'auto' || plan.workload === 'cuda';
    case 'torchserve':
      return true;
    case 'kserve':
      return !runsAlready(plan);
    case 'command':
      return plan.workersUseCuda !== false;
    case 'attached':
      // Nothing is started that could make one.
      return false;
  }
}

/** Whether its servers run already, under the arm that the plan says. */
export function runsAlready(plan: ServerPlan): boolean {
  return plan.kind === 'attached' || ('url' in plan && plan.url !== null);
}
