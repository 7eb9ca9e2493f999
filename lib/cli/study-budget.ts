/** `study --budget`: the plan that fits into the time, and the smallest effect that it can see. */
import type { Command } from 'commander';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { counted, formatSpan, type Nanoseconds, parseDuration } from '../core/units.ts';
import { defaultMeasurementNs, type StudyPlan } from '../records/plan.ts';
import { effectSeen } from '../stats/power.ts';
import { budgetConfirm, expectedNs, withinBudget } from '../study/budget.ts';
import type { StudyHost } from '../study/study-host.ts';
import type { CliContext } from './context.ts';

/** Spreads of the ratio from block to block for which the smallest effect is told; a study shows its own. */
const assumedSds = [0.01, 0.02, 0.05];

/** Throws PLAN_INVALID where nothing fits. What was chosen is told on stderr. */
export function planWithin(
  context: CliContext,
  command: Command,
  asked: StudyPlan,
  budget: string,
  { arms: { arms } }: Pick<StudyHost, 'arms'>,
): StudyPlan {
  const given = command.opts<Record<string, unknown>>();
  const confirm = given.confirm === undefined && asked.confirm === 0 && !given.quick ? budgetConfirm : asked.confirm;
  const wishes = { blocks: given.blocks !== undefined, duration: given.duration !== undefined };
  const plan = withinBudget({ ...asked, confirm }, arms, spanOf(budget), wishes);
  for (const line of budgetLines(plan, arms)) context.err(`${line}\n`);
  return plan;
}

function budgetLines(plan: StudyPlan, arms: readonly string[]): string[] {
  const window = formatSpan(plan.load.duration ?? defaultMeasurementNs);
  const confirming = plan.confirm === 0 ? '' : ` and ${counted(plan.confirm, 'block')} to confirm the best two`;
  const effects = assumedSds.map((sd) => {
    const effect = Math.exp(effectSeen(plan.blocks) * sd) - 1;
    return `${percent(effect)} if pairs spread by ${percent(sd)}`;
  });
  const total = formatSpan(expectedNs(plan, arms));
  return [
    `budget: ${counted(plan.blocks, 'block')} with measurements of ${window}${confirming}, about ${total}`,
    `smallest difference seen with 80 % power: ${effects.join(', ')} (sd of the ratio from block to block)`,
  ];
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))} %`;
}

function spanOf(text: string): Nanoseconds {
  try {
    return parseDuration(text);
  } catch (thrown) {
    throw new MpsbenchError('USAGE', `--budget: ${messageOf(thrown)}`);
  }
}
