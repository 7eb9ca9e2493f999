/** Sentences of the answer on the choice itself: by what, what a worker costs, what correlates, what would change it. */
import { counted, formatBytes } from '../core/units.ts';
import { cellText } from '../records/arm.ts';
import { parseConstraint } from '../records/constraint.ts';
import type { CorrelationEstimate } from './correlation.ts';
import { changeText, objectiveWords } from './recommend.ts';
import type { StudySummary } from './summary-model.ts';
import type { WorkerCost } from './worker-cost.ts';

type Facts = Omit<StudySummary, 'answer'>;

/** "the highest median throughput of 36 valid configurations", or of those that never failed and meet the constraints. */
export function choiceText({ decision, cells }: Facts): string {
  const valid = cells.filter((cell) => cell.state === 'valid');
  const unfailing = valid.filter((cell) => cell.failures.failed === 0);
  const which = unfailing.length < valid.length ? ' that never failed' : '';
  const all = `${counted(unfailing.length, 'valid configuration')}${which}`;
  const words = objectiveWords[decision.objective];
  if (decision.constraints.length === 0) return `${words} of ${all}`;
  return `${words} of the ${decision.rankedIds.length} of ${all} that meet ${listed(decision.constraints)}`;
}

/** For an objective other than throughput, where the verdict on throughput is not the answer; null otherwise. */
export function objectiveHeadline({ decision, recommendation }: Facts): string | null {
  if (recommendation === null || decision.objective === 'throughput') return null;
  const what = recommendation.cell.arm === 'off' ? 'Leave MPS off' : 'Enable MPS';
  return `${what} for ${objectiveWords[decision.objective]}: ${cellText(recommendation.cell)}.`;
}

/** What the device memory of one more worker was measured to be, by arm, at the largest batch size. */
export function workerCostLine({ workerCosts, batchSizes }: Facts): string | null {
  const batchSize = batchSizes.at(-1);
  const costs = workerCosts.filter((cost) => cost.batchSize === batchSize && cost.bytesPerWorker !== null);
  if (costs.length === 0) return null;
  const capped = costs.find((cost) => cost.cappedBy === 'client-limit');
  const limit = capped ? `; * MPS takes ${capped.workersThatFit} clients at most` : '';
  return `One more worker at batch ${batchSize} takes ${costs.map(costText).join(', ')}${limit}.`;
}

/** "645.0 MiB with mps:50 (48* fit)". */
function costText({ arm, bytesPerWorker, workersThatFit, cappedBy }: WorkerCost): string {
  const mark = cappedBy === 'client-limit' ? '*' : '';
  const fit = workersThatFit === null ? '' : ` (${workersThatFit}${mark} fit)`;
  return `${formatBytes(bytesPerWorker ?? 0)} with ${arm}${fit}`;
}

/** Null where there is no figure to be told. */
export function correlationLine({ correlation }: Facts): string | null {
  const { stratified, naive } = correlation;
  if (stratified.state === 'unknown') return null;
  const opposite = naive.state === 'known' && naive.r * stratified.r < 0 ? ', of the opposite sign' : '';
  const beside =
    naive.state === 'known'
      ? `; over all configurations, whose workers and batch sizes drive both, r = ${correlationText(naive.r)}${opposite}`
      : '';
  return (
    `At equal workers and batch size throughput correlates with memory by ${estimateText(stratified)}${beside}. ` +
    'A correlation is no cause.'
  );
}

/** "r = 0.62 [0.55, 0.70]". */
export function estimateText(estimate: CorrelationEstimate & { readonly state: 'known' }): string {
  const { r, lower, upper } = estimate;
  if (lower === null || upper === null) return `r = ${correlationText(r)}`;
  return `r = ${correlationText(r)} [${correlationText(lower)}, ${correlationText(upper)}]`;
}

/** Two decimals, and no minus before a zero. */
export function correlationText(r: number): string {
  return r.toFixed(2).replace(/^-(?=0\.00$)/, '');
}

export function changeLine({ decision }: Facts): string | null {
  if (decision.changes.length === 0) return null;
  return `What would change it: ${decision.changes.map(changeText).join('; ')}.`;
}

/** What a reader must know of the figures by which was chosen. */
export function decisionCautions({ decision, frontier }: Facts): string[] {
  const byLatency = decision.objective === 'p99' || decision.constraints.some(isLatency);
  if (!byLatency || frontier.latencyBasis === 'equal-rate') return [];
  return [
    'Latencies are of a closed loop: each holds at the concurrency and rate of its own configuration; --rate compares them at an equal rate.',
  ];
}

function isLatency(text: string): boolean {
  return parseConstraint(text).figure.startsWith('p');
}

function listed(texts: readonly string[]): string {
  return texts.map((text) => `'${text}'`).join(' and ');
}
