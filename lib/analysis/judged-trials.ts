/** The trials of a study with their figures, each judged by itself and within its block. */
import type { StudyPlan } from '../records/plan.ts';
import type { TrialRecord } from '../records/trial.ts';
import { clocksBelowBlock } from './gpu-state-rules.ts';
import { parityRule } from './reply-parity.ts';
import type { SeriesFiguresOf } from './series-figures.ts';
import { type TrialFigures, trialFigures } from './trial-summary.ts';
import { judgeTrial, type Validity } from './validity.ts';

export interface JudgedTrial {
  readonly record: TrialRecord;
  readonly figures: TrialFigures;
  readonly validity: Validity;
}

/** In the order of the records. Pure: what is judged of a trial depends on the records that are given alone. */
export function judgeTrials(
  records: readonly TrialRecord[],
  plan: StudyPlan,
  fromSeries: SeriesFiguresOf = () => null,
): JudgedTrial[] {
  const parity = parityRule(records, plan);
  return records.map((record) => {
    const figures = trialFigures(record, plan.gpu.device, fromSeries(record) ?? undefined);
    const block = records.filter((other) => other.block === record.block);
    const besides = [clocksBelowBlock(record, block), parity(record)].filter((reason) => reason !== null);
    return { record, figures, validity: judgeTrial(record, figures, plan, besides) };
  });
}
