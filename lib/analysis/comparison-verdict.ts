/** Verdicts on cells that were measured apart from each other, and the one over all of them (docs/METHOD.md). */
import { counted } from '../core/units.ts';
import { holmAdjusted } from '../stats/holm.ts';
import type { ComparedCell, ComparisonMetric, ComparisonResult } from './comparison-model.ts';
import { confidenceLevel, type UnpairedRatio } from './unpaired-ratio.ts';
import type { Verdict } from './verdict.ts';

/** Of each side: below it an interval says more about the spread's luck than about the effect. */
export const fewestRuns = 3;

/** One-sided, as each end of the interval is. */
const alpha = (1 - confidenceLevel) / 2;

/** A cell before its verdict. */
export type MeasuredCell = Omit<ComparedCell, 'verdict' | 'verdictReason' | 'adjustedPWorse' | 'adjustedPBetter'>;

interface Settings {
  readonly metric: ComparisonMetric;
  readonly thresholdRatio: number;
}

interface Tested {
  readonly cell: MeasuredCell;
  readonly ratio: UnpairedRatio | null;
  readonly pWorse: number | null;
  readonly pBetter: number | null;
}

/** In the order given. Holm's correction runs over the cells that have a test, for each side by itself. */
export function judgeCells(cells: readonly MeasuredCell[], settings: Settings): ComparedCell[] {
  const tested = cells.map((cell) => testOf(cell, settings.metric));
  const worse = adjusted(tested.map((test) => test.pWorse));
  const better = adjusted(tested.map((test) => test.pBetter));
  const family = tested.filter((test) => test.pWorse !== null).length;
  return tested.map((test, index) => {
    const ps = { adjustedPWorse: worse[index] ?? null, adjustedPBetter: better[index] ?? null };
    return { ...test.cell, ...ps, ...judgement(test, ps, settings, family) };
  });
}

/** More is better of throughput, less of latencies. */
function testOf(cell: MeasuredCell, metric: ComparisonMetric): Tested {
  const ratio = cell[metric];
  const enough = ratio !== null && Math.min(ratio.baseCount, ratio.candidateCount) >= fewestRuns;
  if (!enough) return { cell, ratio, pWorse: null, pBetter: null };
  const [pWorse, pBetter] = metric === 'throughput' ? [ratio.pBelow, ratio.pAbove] : [ratio.pAbove, ratio.pBelow];
  return { cell, ratio, pWorse, pBetter };
}

function adjusted(ps: readonly (number | null)[]): (number | null)[] {
  const known = holmAdjusted(ps.filter((p) => p !== null));
  return ps.map((p) => (p === null ? null : (known.shift() ?? null)));
}

function judgement(
  { cell, ratio, pWorse, pBetter }: Tested,
  { adjustedPWorse, adjustedPBetter }: Pick<ComparedCell, 'adjustedPWorse' | 'adjustedPBetter'>,
  { metric, thresholdRatio }: Settings,
  family: number,
): Pick<ComparedCell, 'verdict' | 'verdictReason'> {
  const margin = percentText(thresholdRatio);
  const void_ = [cell.base, cell.candidate].findIndex((side) => side.count === 0);
  if (void_ >= 0) return verdictOf('INVALID', `no valid trial in the ${['base', 'candidate'][void_]}`);
  if (ratio === null) return verdictOf('INCONCLUSIVE', `${metric} is not known on both sides`);
  if (pWorse === null || pBetter === null || ratio.lowerRatio === null || ratio.upperRatio === null) {
    const counts = `${ratio.baseCount} and ${ratio.candidateCount}`;
    return verdictOf('INCONCLUSIVE', `n too small: ${counts} of at least ${fewestRuns} on each side`);
  }
  const sides = metric === 'throughput' ? ['below 1 -', 'above 1 +'] : ['above 1 +', 'below 1 -'];
  const correction = family > 1 ? `, with Holm's correction over ${family} cells` : '';
  if (isSmall(adjustedPWorse)) return verdictOf('WORSE', `interval ${sides[0]} ${margin}${correction}`);
  if (isSmall(adjustedPBetter)) return verdictOf('BETTER', `interval ${sides[1]} ${margin}${correction}`);
  if (isSmall(pWorse) || isSmall(pBetter)) {
    const p = (isSmall(pWorse) ? adjustedPWorse : adjustedPBetter) ?? 1;
    const side = sides[isSmall(pWorse) ? 0 : 1];
    return verdictOf(
      'INCONCLUSIVE',
      `interval ${side} ${margin}, but one of ${family} may be by chance (Holm p ${p.toPrecision(2)})`,
    );
  }
  if (ratio.lowerRatio >= 1 - thresholdRatio && ratio.upperRatio <= 1 + thresholdRatio) {
    return verdictOf('EQUIVALENT', `interval within 1 +/- ${margin}`);
  }
  return verdictOf('INCONCLUSIVE', `interval reaches across the ${margin} threshold`);
}

function isSmall(p: number | null): boolean {
  return p !== null && p <= alpha;
}

function verdictOf(verdict: Verdict, verdictReason: string): Pick<ComparedCell, 'verdict' | 'verdictReason'> {
  return { verdict, verdictReason };
}

/** The worst that a cell shows; a cell without evidence leaves the whole open, and equivalence is that of every cell. */
export function overallVerdict(
  cells: readonly ComparedCell[],
  { metric, thresholdRatio }: Settings,
): Pick<ComparisonResult, 'verdict' | 'headline'> {
  const of = (...verdicts: readonly Verdict[]): readonly ComparedCell[] =>
    cells.filter((cell) => verdicts.includes(cell.verdict));
  const margin = percentText(thresholdRatio);
  const [worse, better, open] = [of('WORSE'), of('BETTER'), of('INCONCLUSIVE', 'INVALID')];
  const betterText = `better beyond ${margin}${among(better, cells)}`;
  if (worse.length > 0) {
    return { verdict: 'WORSE', headline: `${metric} is worse beyond ${margin}${among(worse, cells)}` };
  }
  if (open.length > 0) {
    const headline = `no regression of ${metric} beyond ${margin} was shown, nor ruled out${among(open, cells)}`;
    return { verdict: 'INCONCLUSIVE', headline: better.length > 0 ? `${headline}; ${betterText}` : headline };
  }
  if (better.length > 0) {
    const rest = cells.length > better.length ? ', and worse in none' : '';
    return { verdict: 'BETTER', headline: `${metric} is ${betterText}${rest}` };
  }
  const where = cells.length > 1 ? ` in any of ${cells.length} cells` : '';
  return { verdict: 'EQUIVALENT', headline: `${metric} did not change by more than ${margin}${where}` };
}

const mostNamed = 3;

/** " in 2 of 18 cells (…)"; of a single cell there is nothing to tell. */
function among(some: readonly ComparedCell[], all: readonly ComparedCell[]): string {
  if (all.length === 1) return '';
  const named = some.slice(0, mostNamed).map((cell) => cell.name);
  const more = some.length > mostNamed ? `, and ${some.length - mostNamed} more` : '';
  return ` in ${some.length} of ${counted(all.length, 'cell')} (${named.join(', ')}${more})`;
}

export function percentText(ratio: number): string {
  return `${Number((ratio * 100).toFixed(3))} %`;
}
