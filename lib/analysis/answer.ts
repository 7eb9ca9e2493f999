/** The study's answer in plain sentences, from measured figures alone. */
import { counted, formatBytes, formatDuration, formatRate, type Nanoseconds } from '../core/units.ts';
import { cellText } from '../records/arm.ts';
import { failureText } from './cell-failures.ts';
import { fewestPairs } from './contest.ts';
import { freshText, noiseText, ratioText, ungatedText } from './course-lines.ts';
import {
  changeLine,
  choiceText,
  correlationLine,
  decisionCautions,
  objectiveHeadline,
  workerCostLine,
} from './decision-lines.ts';
import { limitCautions } from './limiting-part.ts';
import type { Answer, ArmBest, CellSummary, Spread, StudySummary } from './summary-model.ts';

/** All of the summary but the answer itself. */
type Facts = Omit<StudySummary, 'answer'>;

/** Headline, a few lines that it rests on, and what a reader must be careful with. */
export function answerOf(facts: Facts): Answer {
  const lines = [
    recommendationLine(facts),
    runnerUpLine(facts),
    mpsLine(facts),
    undecidedLine(facts),
    memoryLine(facts),
    workerCostLine(facts),
    correlationLine(facts),
    changeLine(facts),
  ];
  return {
    headline: headline(facts),
    lines: lines.filter((line) => line !== null),
    cautions: [...cautions(facts), ...decisionCautions(facts)],
  };
}

function headline(facts: Facts): string {
  const { noneReason } = facts.decision;
  if (noneReason !== null) return `Nothing to recommend: ${noneReason}.`;
  if (!facts.recommendation) return noneText(facts);
  const byObjective = objectiveHeadline(facts);
  if (byObjective !== null) return byObjective;
  const best = bestMps(facts);
  if (!best && facts.cells.some((cell) => cell.cell.arm !== 'off' && cell.state === 'valid')) return noMpsText(facts);
  if (!best) return `MPS was not measured here${leftOutText(facts)}.`;
  if (!best.comparison) return "No answer on MPS: the study has no valid arm 'off' to compare with.";
  const { verdict, throughput, verdictReason } = best.comparison;
  const against = throughput ? `: ${ratioText(throughput)}` : '';
  const its = failedSomewhere(facts) ? 'of what never failed, its best' : 'its best';
  switch (verdict) {
    case 'BETTER':
      return `Enable MPS: ${its} configuration is faster than the best without it${against}.`;
    case 'WORSE':
      return `Leave MPS off: ${its} configuration is slower than the best without it${against}.`;
    case 'EQUIVALENT':
      return `MPS makes no difference to throughput that matters here, best against best${against}.`;
    default:
      return `No clear answer on MPS, best against best${against}; ${verdictReason}.`;
  }
}

/** Arms with MPS were measured, and none of their configurations may be chosen. */
function noMpsText({ decision, cells }: Facts): string {
  const unfailing = cells.some((cell) => cell.cell.arm !== 'off' && cell.state === 'valid' && !failedOnce(cell));
  if (!unfailing) return 'No answer on MPS: every configuration with it failed at least once.';
  return `Leave MPS off: no configuration with it meets ${decision.constraints.map((text) => `'${text}'`).join(' and ')}.`;
}

function noneText(facts: Facts): string {
  const failing = facts.cells.some((cell) => cell.state === 'valid');
  if (failing) return 'No answer: every configuration failed at least once, and what fails is not recommended.';
  return `No answer: no trial of this study is valid${mainVoidText(facts)}.`;
}

/** What voided most attempts: it is what to mend first. */
function mainVoidText(facts: Facts): string {
  const main = facts.findings.find((finding) => finding.voids);
  if (!main) return '';
  return `; ${main.attempts} of ${facts.trials.length} are void because ${main.reason.message}`;
}

function leftOutText(facts: Facts): string {
  const reasons = new Set(facts.armsLeftOut.map((left) => left.reason));
  return reasons.size === 0 ? '' : `: ${[...reasons].join('; ')}`;
}

/** The MPS arm whose best cell has the highest median throughput. */
function bestMps(facts: Facts): ArmBest | undefined {
  const rate = (best: ArmBest): number => cellOf(facts, best.cellId)?.throughputPerSecond?.median ?? 0;
  return facts.bestByArm.filter((best) => best.arm !== 'off').sort((a, b) => rate(b) - rate(a))[0];
}

function cellOf(facts: Facts, id: string | null): CellSummary | undefined {
  return facts.cells.find((cell) => cell.cellId === id);
}

/** In fresh runs, where there are valid ones: those figures are not the highest by choice. */
function quotedCell(facts: Facts, id: string | null | undefined): CellSummary | undefined {
  const fresh = facts.confirmation?.cells.find((cell) => cell.cellId === id);
  return fresh?.throughputPerSecond ? fresh : cellOf(facts, id ?? null);
}

function recommendationLine(facts: Facts): string | null {
  const best = quotedCell(facts, facts.recommendation?.cellId);
  if (!best?.throughputPerSecond) return null;
  return `Recommended: ${cellText(best.cell)}: ${spreadRate(best.throughputPerSecond)}${beside(best)}; ${choiceText(facts)}${freshText(facts)}.`;
}

function runnerUpLine(facts: Facts): string | null {
  const runnerUp = quotedCell(facts, facts.recommendation?.runnerUpId);
  if (!runnerUp?.throughputPerSecond) return null;
  const rate = formatRate(runnerUp.throughputPerSecond.median);
  return `Runner-up: ${cellText(runnerUp.cell)}: ${rate}${beside(runnerUp)}${leadText(facts)}.`;
}

function leadText(facts: Facts): string {
  const fresh = facts.confirmation?.overRunnerUp;
  const over = fresh?.throughput ? fresh : facts.recommendation?.overRunnerUp;
  if (!over?.throughput) return '';
  if (facts.decision.objective !== 'throughput')
    return `; throughput of the recommended one over it ${ratioText(over.throughput)}`;
  const clear = over.verdict === 'BETTER' ? 'a clear lead' : 'not a clear lead';
  return `; the recommended one over it ${ratioText(over.throughput)}, ${clear}`;
}

/** Best against best, named. The headline has the ratio. */
function mpsLine(facts: Facts): string | null {
  const best = bestMps(facts);
  const other = best?.comparison;
  if (!best || !other) return null;
  const mine = cellOf(facts, best.cellId);
  const theirs = facts.cells.find((cell) => cell.cellId === facts.bestByArm.find((arm) => arm.arm === 'off')?.cellId);
  if (!mine?.throughputPerSecond || !theirs?.throughputPerSecond) return null;
  return (
    `Best with MPS: ${cellText(mine.cell)}, ${formatRate(mine.throughputPerSecond.median)}. ` +
    `Best without: ${cellText(theirs.cell)}, ${formatRate(theirs.throughputPerSecond.median)}.`
  );
}

/** How many comparisons are open, and what it would take. */
function undecidedLine(facts: Facts): string | null {
  const compared = facts.cells.flatMap((cell) => cell.comparison ?? []);
  const open = compared.filter((comparison) => comparison.verdict === 'INCONCLUSIVE');
  const needs = open.flatMap((comparison) => comparison.moreBlocks ?? []).sort((a, b) => a - b);
  const [first, last] = [needs[0], needs.at(-1)];
  if (first === undefined || last === undefined) return null;
  const which = needs.length === open.length ? 'all of them' : `${needs.length} of them`;
  const need = first === last ? '' : `about ${counted(first, 'more block')} would decide the first, `;
  return (
    `Inconclusive: ${open.length} of ${counted(compared.length, 'comparison')} with off. If ratios and spreads are what ` +
    `was seen, ${need}about ${need === '' ? counted(last, 'more block') : last} would decide ${which}.`
  );
}

/** What each MPS arm did to memory at the largest number of workers, as measured: it may cost or save. */
function memoryLine(facts: Facts): string | null {
  const most = facts.workers.at(-1);
  const texts = facts.arms.flatMap((arm) => {
    const cells = facts.cells.filter((cell) => cell.cell.arm === arm && cell.cell.workers === most);
    const differences = cells.flatMap((cell) => cell.comparison?.memoryDifferenceBytes ?? []);
    return differences.length === 0 ? [] : [`${arm} ${differenceText(differences)}`];
  });
  if (most === undefined || texts.length === 0) return null;
  const among = facts.batchSizes.length > 1 ? ` (range of medians over batch sizes)` : '';
  return `Memory at ${counted(most, 'worker')}, against off at the same batch size${among}: ${texts.join('; ')}.`;
}

function differenceText(differences: readonly Spread[]): string {
  const medians = differences.map((difference) => difference.median);
  const [least, most] = [Math.min(...medians), Math.max(...medians)];
  const magnitude = (value: number): string => formatBytes(Math.abs(value));
  if (least === 0 && most === 0) return 'took as much';
  if (least >= 0) return `took ${rangeOf(magnitude(least), magnitude(most))} more`;
  if (most <= 0) return `took ${rangeOf(magnitude(most), magnitude(least))} less`;
  return `took from ${magnitude(least)} less to ${magnitude(most)} more`;
}

function rangeOf(low: string, high: string): string {
  return low === high ? low : `${low} to ${high}`;
}

function spreadRate(spread: Spread): string {
  const bound = (value: number): string => formatRate(value).replace(' /s', '');
  return `${formatRate(spread.median)} [${bound(spread.min)} .. ${bound(spread.max)}]`;
}

/** Latency and memory, which the choice by throughput does not weigh. */
function beside(cell: CellSummary): string {
  return [p99Text(cell), deviceText(cell)].flatMap((text) => (text === null ? [] : [`, ${text}`])).join('');
}

function p99Text(cell: CellSummary): string | null {
  return cell.p99Ns ? `p99 ${formatDuration(cell.p99Ns.median as Nanoseconds)}` : null;
}

function deviceText(cell: CellSummary): string | null {
  const used = cell.memory.deviceUsedBytes;
  return used ? `${formatBytes(used.median)} of device memory` : null;
}

/** A cell whose every trial ended alike is told with the reason: one that never fits is no bad luck. */
function sameEndText(facts: Facts, id: string): string {
  const trials = facts.trials.filter((trial) => trial.counts && trial.cellId === id);
  const codes = new Set(trials.map((trial) => trial.validity.reasons[0]?.code));
  const [code] = codes;
  return codes.size === 1 && code !== undefined ? ` (${code} each time)` : '';
}

/** Measured, and yet not to be recommended. */
function failedOnce(cell: CellSummary): boolean {
  return cell.state === 'valid' && cell.failures.failed > 0;
}

function failedSomewhere(facts: Facts): boolean {
  return facts.cells.some(failedOnce);
}

/** With the exact interval, which few attempts leave wide. */
function failingText({ cellId, failures }: CellSummary): string {
  const percent = (ratio: number | null): string => `${((ratio ?? 0) * 100).toFixed(0)} %`;
  return `${cellId} ${failureText(failures)}, hence between ${percent(failures.lowerRatio)} and ${percent(failures.upperRatio)} of them at 95 %`;
}

function cautions(facts: Facts): string[] {
  const found: string[] = [];
  for (const reason of new Set(facts.armsLeftOut.map((left) => left.reason))) {
    const arms = facts.armsLeftOut.filter((left) => left.reason === reason).map((left) => left.arm);
    found.push(`${arms.length === 1 ? 'Arm' : 'Arms'} ${arms.join(', ')} left out: ${reason}`);
  }
  if (facts.conditions.deviceName !== null && facts.cells.every((cell) => cell.memory.deviceUsedBytes === null)) {
    found.push('Device memory is not known for any configuration; summary.json has the reason by cell.');
  }
  if (!facts.complete) {
    found.push(`The study is not complete: ${facts.trialsRun} of ${facts.trialsPlanned} trials were run.`);
  }
  for (const finding of facts.findings) {
    const effect = finding.voids ? 'void' : 'marked';
    const attempts = `${counted(finding.attempts, 'attempt')} ${effect} (${finding.reason.code})`;
    found.push(
      `${attempts}${finding.attempts === 1 ? '' : ', the first'}: ${finding.reason.message}; ${finding.reason.advice}.`,
    );
  }
  found.push(...(facts.ungated ?? []).map(ungatedText));
  const invalid = facts.cells
    .filter((cell) => cell.state === 'invalid')
    .map((cell) => `${cell.cellId}${sameEndText(facts, cell.cellId)}`);
  if (invalid.length > 0) found.push(`Without a valid trial, hence INVALID: ${invalid.join(', ')}.`);
  found.push(...limitCautions(facts.cells));
  const failed = facts.cells.filter(failedOnce).map(failingText);
  if (failed.length > 0)
    found.push(`Not recommended, whatever its figures, for what fails cannot win: ${failed.join('; ')}.`);
  if (facts.blocks < fewestPairs) {
    found.push(
      `${facts.blocks} ${facts.blocks === 1 ? 'block gives' : 'blocks give'} no verdict; run ${fewestPairs} or more.`,
    );
  }
  if (facts.confirmation?.outcome === 'contradicted') {
    found.push('In the fresh blocks the recommended configuration is slower than its runner-up: prefer the runner-up.');
  }
  if (facts.noiseFloor) found.push(noiseText(facts.noiseFloor));
  const confirmed = facts.confirmation !== undefined && facts.confirmation.outcome !== 'not-run';
  if (facts.cells.length > 1 && facts.recommendation && !confirmed) {
    found.push(
      `The best of ${facts.cells.length} configurations is chosen by the figures that are shown for it, which flatters it: confirm it and its runner-up in fresh trials.`,
    );
  }
  return found;
}
