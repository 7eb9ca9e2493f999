/** The course of an adaptive study, from its judged trials. */
import { cellId } from '../records/arm.ts';
import type { Environment } from '../records/environment.ts';
import type { StudyPlan } from '../records/plan.ts';
import { type AdaptiveCourse, adaptiveCourse } from './adaptive.ts';
import type { JudgedTrial } from './judged-trials.ts';

/** Of each trial its last attempt, where that is valid. Arms that were left out at the start are in no cell. */
export function courseOf(
  plan: StudyPlan,
  environment: Pick<Environment, 'armsLeftOut'>,
  trials: readonly JudgedTrial[],
): AdaptiveCourse {
  const main = trials.filter(({ record }) => record.phase === undefined);
  const ran = new Set(main.map(({ record }) => record.cell.arm));
  const arms = plan.arms.filter((arm) => ran.has(arm) || !environment.armsLeftOut.some((left) => left.arm === arm));
  const cells = plan.workers.flatMap((workers) =>
    plan.batchSizes.flatMap((batchSize) => arms.map((arm) => ({ workers, batchSize, arm }))),
  );
  const last = new Map(main.map((trial) => [trial.record.trialId, trial]));
  const valid = [...last.values()].filter(({ validity }) => validity.state === 'VALID');
  const usable = valid.map(({ record, figures }) => ({
    block: record.block,
    cellId: cellId(record.cell),
    throughputPerSecond: figures.throughputPerSecond ?? 0,
  }));
  return adaptiveCourse(plan, cells, usable);
}
