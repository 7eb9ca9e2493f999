/** What a driver may choose of a plan that an agent has: numbers, never what is run; and the plan that comes of it. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { MpsbenchError } from '../core/errors.ts';
import type { RequestedPlan, StudyPlan } from '../records/plan.ts';
import { requestedForm, validatePlan } from '../records/plan-text.ts';

const value = z.union([z.number(), z.string().max(1000)]);
const values = z.array(value).max(1000);

/** Checked in full once they are laid over the plan. */
export const planChoicesSchema = z.strictObject({
  workers: values.optional(),
  batchSizes: values.optional(),
  arms: values.optional(),
  blocks: value.optional(),
  seed: value.optional(),
  retries: value.optional(),
  adaptive: z.boolean().optional(),
  aa: z.boolean().optional(),
  confirm: value.optional(),
  thresholdRatio: value.optional(),
  constraints: values.optional(),
  objective: value.optional(),
  memoryHeadroomRatio: value.optional(),
  load: z
    .strictObject({
      ratePerSecond: value.optional(),
      arrival: value.optional(),
      concurrency: value.optional(),
      duration: value.optional(),
      requests: value.optional(),
      warmup: value.optional(),
      timeout: value.optional(),
      bodies: values.optional(),
      engine: value.optional(),
    })
    .optional(),
});
export type PlanChoices = z.infer<typeof planChoicesSchema>;

/** Whether a key of a plan, by its path, is one that a driver may choose. */
export function isChoice([key, inner]: readonly string[]): boolean {
  const { load, ...others } = planChoicesSchema.shape;
  if (key === 'load' && inner !== undefined) return Object.hasOwn(load.unwrap().shape, inner);
  return key !== undefined && Object.hasOwn(others, key);
}

/**
 * The agent's plan with the choices laid over it. Throws PLAN_INVALID for a choice that the plan rules out: workers,
 * batch sizes and arms can only be fewer.
 */
export function planWithChoices(name: string, plan: StudyPlan, choices: PlanChoices): StudyPlan {
  const base = requestedForm(plan);
  const { load: loadChoices = {}, ...others } = choices;
  const load: Record<string, unknown> = { ...base.load };
  // Measuring by time and by number exclude each other: what is chosen takes the place of the other.
  if (loadChoices.duration !== undefined) delete load.requests;
  if (loadChoices.requests !== undefined) delete load.duration;
  const requested = { ...base, ...others, load: { ...load, ...loadChoices } };
  const chosen = validatePlan(requested, ([key]) => (key === undefined ? null : `plan ${name} of the agent`));
  requireSubset(name, 'workers', plan.workers, chosen.workers);
  requireSubset(name, 'batchSizes', plan.batchSizes, chosen.batchSizes);
  requireSubset(name, 'arms', plan.arms, chosen.arms);
  return chosen;
}

function requireSubset<T>(name: string, key: string, allowed: readonly T[], chosen: readonly T[]): void {
  const foreign = chosen.filter((one) => !allowed.includes(one));
  if (foreign.length === 0) return;
  const what = `${key}: plan ${name} of the agent has no ${foreign.join(', ')}`;
  throw new MpsbenchError(
    'PLAN_INVALID',
    `${what}; choose among ${allowed.join(', ')}, or have the plan changed there`,
  );
}

/** Throws PLAN_INVALID unless a study that was begun earlier is still what the agent's plan of today would run. */
export function requireSamePlan(name: string, today: StudyPlan, begun: StudyPlan): void {
  const parts = (plan: RequestedPlan): unknown => [plan.server, plan.gpu, plan.readyTimeout, plan.restart];
  const isSame = isDeepStrictEqual(parts(requestedForm(today)), parts(requestedForm(begun)));
  if (isSame) return;
  const what = `plan ${name} of the agent has another server, device or timeout than when the study was begun`;
  throw new MpsbenchError('PLAN_INVALID', `${what}; begin a new study with --out`);
}
