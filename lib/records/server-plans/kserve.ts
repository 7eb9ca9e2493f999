/** What a plan may say of a server that speaks the Open Inference Protocol, version 2, over HTTP: Triton, MLServer, … */
import { z } from 'zod';
import { cpuListValue, positiveInteger } from '../plan-values.ts';
import {
  cpusCanBeSet,
  cpusCannotBeSet,
  exactlyOneStart,
  launchKeys,
  launchTellsScale,
  nonEmptyText,
} from './launch.ts';

const name = z.string({ error: 'needs text' }).regex(/^[^/?#\s]+$/, 'must be one word without / ? #');

export const kserveServerSchema = z
  .strictObject({
    kind: z.literal('kserve'),
    ...launchKeys,
    /** Model to ask. */
    model: name,
    /** null = the one that the server chooses. */
    modelVersion: name.nullable().default(null),
    /**
     * one: a server with as many instances of the model as there are workers; Triton's share a process and its CUDA
     * context, unless their backend is Python. per-worker: as many servers with one instance each, which MPS can serve.
     */
    processes: z.enum(['one', 'per-worker']).default('one'),
    /**
     * How workers and batch size reach the server. launch: by the placeholders of the command line. repository: by
     * loading the model anew with a changed configuration (Triton in explicit mode), which needs no restart. auto =
     * launch where a placeholder is used, else repository.
     */
    control: z.enum(['auto', 'launch', 'repository']).default('auto'),
    /** binary: the binary tensor extension, for requests and replies. */
    encoding: z.enum(['json', 'binary']).default('json'),
    /** Input name -> shape of one request, where the model takes any length. The batch dimension counts too. */
    shapes: z.record(z.string(), z.array(positiveInteger).min(1)).default({}),
    /** Files whose bytes are the requests; empty = tensors made up from the model's metadata and `seed`. */
    bodies: z.array(nonEmptyText).default([]),
    seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
    /** CPUs of every process of the server; none where it runs already. */
    cpus: cpuListValue,
  })
  .superRefine(exactlyOneStart)
  .refine(cpusCanBeSet, cpusCannotBeSet)
  .refine((plan) => plan.url === null || plan.processes === 'one', {
    message: 'a server that runs already is one; leave processes out, or give launch instead of url',
    path: ['processes'],
  });
export type KservePlan = z.infer<typeof kserveServerSchema>;

/** What 'auto' means for the plan. */
export function scaleControlOf(plan: KservePlan): 'launch' | 'repository' {
  if (plan.control !== 'auto') return plan.control;
  return launchTellsScale(plan) ? 'launch' : 'repository';
}

/** Whether a cell can be changed without a restart. */
export function canSwitch(plan: KservePlan): boolean {
  return plan.processes === 'one' && scaleControlOf(plan) === 'repository';
}
