/** The steering of a study by its own analysis: the rules that void a trial in the report have it run again. */
import { courseOf } from '../analysis/adaptive-study.ts';
import { judgeTrials } from '../analysis/judged-trials.ts';
import { summarizeStudy } from '../analysis/study-summary.ts';
import type { Environment } from '../records/environment.ts';
import type { StudyPlan } from '../records/plan.ts';
import type { Steering } from '../study/steering.ts';

export function steeringOf(plan: StudyPlan, environment: Environment): Steering {
  return {
    activeCells: (records) =>
      plan.adaptive ? courseOf(plan, environment, judgeTrials(records, plan)).activeByBlock : null,
    contenders: (records) => {
      const main = records.filter(({ phase }) => phase === undefined);
      const { recommendation } = summarizeStudy(plan, environment, main);
      return [recommendation?.cell, recommendation?.runnerUp].filter((cell) => cell !== undefined && cell !== null);
    },
    voidCodes: (records) => judgeTrials(records, plan).map(({ validity }) => validity.reasons.map(({ code }) => code)),
  };
}
