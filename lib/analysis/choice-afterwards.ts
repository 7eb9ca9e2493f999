/** The choice among the cells of a study by other conditions than its plan's, set when the figures were known. */
import { counted } from '../core/units.ts';
import type { Environment } from '../records/environment.ts';
import type { Objective, StudyPlan } from '../records/plan.ts';
import type { TrialRecord } from '../records/trial.ts';
import type { SeriesFiguresOf } from './series-figures.ts';
import { summarizeStudy } from './study-summary.ts';
import type { StudySummary } from './summary-model.ts';

/** What is left out is as in the plan. */
export interface OtherChoice {
  readonly objective?: Objective;
  /** In place of all of the plan's. */
  readonly constraints?: readonly string[];
}

/** As summarizeStudy, with the plan's own choice beside the other one, and said to be made afterwards. */
export function summarizeAfterwards(
  plan: StudyPlan,
  environment: Environment,
  trials: readonly TrialRecord[],
  fromSeries: SeriesFiguresOf,
  other: OtherChoice,
): StudySummary {
  const planned = summarizeStudy(plan, environment, trials, fromSeries);
  const changed = { ...plan, ...other, constraints: [...(other.constraints ?? plan.constraints)] };
  const chosen = summarizeStudy(changed, environment, trials, fromSeries);
  const sameCells = chosenPair(chosen) === chosenPair(planned);
  // Fresh blocks were of the cells that the plan chose; of others they confirm nothing.
  const { confirmation, ...rest } = chosen;
  const recommendedId = planned.recommendation?.cellId ?? null;
  const decision = {
    ...chosen.decision,
    planned: { objective: plan.objective, constraints: plan.constraints, recommendedId },
  };
  const cautions = [afterwardsText(decision.planned, decision.constraints, chosen), ...chosen.answer.cautions];
  return {
    ...rest,
    ...(confirmation && sameCells && { confirmation }),
    decision,
    answer: { ...chosen.answer, cautions },
  };
}

function chosenPair({ recommendation }: StudySummary): string {
  return `${recommendation?.cellId ?? ''} ${recommendation?.runnerUpId ?? ''}`;
}

function afterwardsText(
  planned: NonNullable<StudySummary['decision']['planned']>,
  constraints: readonly string[],
  { decision, cells }: StudySummary,
): string {
  const by = (objective: Objective, conditions: readonly string[]): string =>
    `${objective}, ${conditions.length === 0 ? 'without constraints' : `with ${conditions.map((text) => `'${text}'`).join(' and ')}`}`;
  return (
    `The choice is by conditions that were set after the figures of ${counted(cells.length, 'configuration')} had been seen ` +
    `(${by(decision.objective, constraints)}); the plan's own (${by(planned.objective, planned.constraints)}) give ` +
    `${planned.recommendedId ?? 'no recommendation'}. Conditions that are drawn around known figures flatter what they choose: ` +
    'confirm it in a study whose plan has them.'
  );
}
