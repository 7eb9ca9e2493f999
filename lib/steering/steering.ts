/** The steering of a study by its own analysis: the rules that void a trial in the report have it run again. */
import { judgeTrials } from '../analysis/judged-trials.ts';
import type { StudyPlan } from '../records/plan.ts';
import type { Steering } from '../study/steering.ts';

export function steeringOf(plan: StudyPlan): Steering {
  return {
    voidCodes: (records) => judgeTrials(records, plan).map(({ validity }) => validity.reasons.map(({ code }) => code)),
  };
}
