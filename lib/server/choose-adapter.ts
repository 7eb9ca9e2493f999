/** Which adapter runs the server of a plan, and what the study must know of that kind beforehand. */
import type { ServerPlan } from '../records/plan.ts';
import type { ServerAdapter } from './adapter.ts';
import { embeddedAdapter } from './embedded.ts';
import { torchserveAdapter } from './torchserve.ts';

export interface AdapterOptions {
  /** Path of libcuda; null = by soname. */
  readonly cudaPath: string | null;
}

export function chooseAdapter(plan: ServerPlan, options: AdapterOptions): ServerAdapter {
  switch (plan.kind) {
    case 'embedded':
      return embeddedAdapter(plan, options);
    case 'torchserve':
      return torchserveAdapter(plan);
  }
}

/** Whether the workers make CUDA contexts where there is a GPU: without one, an arm mps means nothing. */
export function workersUseCuda(plan: ServerPlan): boolean {
  switch (plan.kind) {
    case 'embedded':
      return plan.workload === 'auto' || plan.workload === 'cuda';
    case 'torchserve':
      return true;
  }
}
