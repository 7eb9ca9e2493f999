/** The study's answer in plain sentences, from measured figures alone. */
import { counted, formatBytes, formatDuration, formatRate, type Nanoseconds } from '../core/units.ts';
import { cellText } from '../records/arm.ts';
import type { PairedRatio } from '../stats/paired.ts';
import type { NoiseFloor } from './noise-floor.ts';
import type { Answer, ArmBest, CellSummary, Spread, StudySummary } from './summary-model.ts';
import type { Ungated } from './ungated.ts';
import { fewestPairs } from './verdict.ts';

/** All of the summary but the answer itself. */
type Facts = Omit<StudySummary, 'answer'>;

/** Headline, a few lines that it rests on, and what a reader must be careful with. */
export function answerOf(facts: Facts): Answer {
  const lines = [recommendationLine(facts), runnerUpLine(facts), mpsLine(facts), memoryLine(facts)];
  return {
    headline: headline(facts),
    lines: lines.filter((line) => line !== null),
    cautions: cautions(facts),
  };
}

/** "1.421x [1.380, 1.465] at 95 %, n=5": three decimals, so that an end beside the threshold is seen on its side. */
function ratioText(ratio: PairedRatio): string {
  const n = `n=${ratio.pairs}`;
  if (ratio.lowerRatio === null || ratio.upperRatio === null) return `${times(ratio.ratio)}, ${n}, no interval`;
  const level = Number((ratio.confidenceLevel * 100).toFixed(1));
  return `${times(ratio.ratio)} [${ratio.lowerRatio.toFixed(3)}, ${ratio.upperRatio.toFixed(3)}] at ${level} %, ${n}`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(3)}x`;
}

function headline(facts: Facts): string {
  if (!facts.recommendation) return `No answer: no trial of this study is valid${mainVoidText(facts)}.`;
  const best = bestMps(facts);
  if (!best) return `MPS was not measured here${leftOutText(facts)}.`;
  if (!best.comparison) return "No answer on MPS: the study has no valid arm 'off' to compare with.";
  const { verdict, throughput, verdictReason } = best.comparison;
  const against = throughput ? `: ${ratioText(throughput)}` : '';
  switch (verdict) {
    case 'BETTER':
      return `Enable MPS: its best configuration is faster than the best without it${against}.`;
    case 'WORSE':
      return `Leave MPS off: its best configuration is slower than the best without it${against}.`;
    case 'EQUIVALENT':
      return `MPS makes no difference to throughput that matters here, best against best${against}.`;
    default:
      return `No clear answer on MPS, best against best${against}; ${verdictReason}.`;
  }
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
  const valid = facts.cells.filter((cell) => cell.state === 'valid').length;
  return (
    `Recommended: ${cellText(best.cell)}: ${spreadRate(best.throughputPerSecond)}${beside(best)}; the highest median ` +
    `throughput of ${counted(valid, 'valid configuration')}${freshText(facts)}.`
  );
}

function freshText({ confirmation }: Facts): string {
  if (!confirmation || confirmation.outcome === 'not-run') return '';
  const runs = counted(confirmation.cells[0]?.trialsValid ?? 0, 'fresh block');
  return `, and these figures are those of ${runs} run to confirm it`;
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

function ungatedText({ cellId, throttledHere, throttledThere, gated, ungated }: Ungated): string {
  const text = (ratio: PairedRatio | null): string => (ratio === null ? 'not known' : ratioText(ratio));
  return (
    `Clocks voided ${counted(throttledHere, 'attempt')} of ${cellId} and ${throttledThere} of off: throughput over off ` +
    `is ${text(gated)} without them, ${text(ungated)} with them; throttling may be a part of what the arm does.`
  );
}

function noiseText({ cells, falseDifferences, largestRatio, logSd, pairs }: NoiseFloor): string {
  const spread = logSd === null ? 'not known' : `${((Math.exp(logSd) - 1) * 100).toFixed(1)} %`;
  return (
    `A/A: the first arm against itself differs by ${spread} from block to block (sd, ${counted(pairs, 'pair')}), ` +
    `by up to ${largestRatio === null ? 'an unknown ratio' : times(largestRatio)} in a configuration; ${falseDifferences} of ` +
    `${counted(cells.length, 'interval')} exclude 1, where none should.`
  );
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
