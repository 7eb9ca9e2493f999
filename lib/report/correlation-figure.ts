/** Figure: throughput against memory, one mark per cell, a line through the arms of equal workers and batch size. */
import { estimateText } from '../analysis/decision-lines.ts';
import type { CellSummary, StudySummary } from '../analysis/summary-model.ts';
import type { ChartOption, ChartSize } from './chart-renderer.ts';
import { armColour, armSymbol, axisText, chartTitle, faint, niceStep, rule } from './chart-style.ts';

const size: ChartSize = { width: 980, height: 560 };
const mebibyte = 2 ** 20;
/** Room at the ends of an axis, as a share of what it holds. */
const roomRatio = 0.05;

interface Dot {
  readonly cell: CellSummary;
  readonly memoryMiB: number;
  readonly perSecond: number;
}

/** Null where fewer than three cells have both figures. */
export function correlationFigure(
  summary: StudySummary,
): { readonly option: ChartOption; readonly size: ChartSize } | null {
  const dots = summary.cells.flatMap(dotOf);
  if (dots.length < 3) return null;
  const arms = summary.arms.filter((arm) => dots.some((dot) => dot.cell.cell.arm === arm));
  const option = {
    title: chartTitle('Throughput and memory across configurations', subtitle(summary)),
    legend: { data: [...arms], left: 4, top: 76, itemWidth: 14, itemGap: 16, textStyle: axisText() },
    grid: { left: 84, right: 78, top: 118, bottom: 62 },
    xAxis: { ...axis('peak of device memory over baseline, MiB', 30), ...logRange(dots.map((dot) => dot.memoryMiB)) },
    yAxis: { ...axis('requests per second', 62), nameRotate: 90, ...logRange(dots.map((dot) => dot.perSecond)) },
    series: [...strata(dots).map(stratumLine), ...arms.map((arm) => marks(arm, summary, dots))],
  };
  return { option, size };
}

function dotOf(cell: CellSummary): Dot[] {
  const peak = cell.ledger.decisivePeakBytes?.median ?? 0;
  const rate = cell.throughputPerSecond?.median ?? 0;
  return peak > 0 && rate > 0 ? [{ cell, memoryMiB: peak / mebibyte, perSecond: rate }] : [];
}

function subtitle({ correlation: { stratified, naive } }: StudySummary): string {
  const within = stratified.state === 'known' ? estimateText(stratified) : 'not known';
  const all = naive.state === 'known' ? estimateText(naive) : 'not known';
  return `Medians, both axes logarithmic. A line joins the arms of equal workers (w) and batch size (b): along the lines ${within}.\nAcross all marks ${all}: that is mostly what workers and batch size do to both.`;
}

function axis(name: string, nameGap: number): object {
  return {
    type: 'log',
    logBase: 2,
    name,
    nameLocation: 'middle',
    nameGap,
    nameTextStyle: axisText(),
    axisLabel: {
      ...axisText(),
      showMinLabel: false,
      showMaxLabel: false,
      formatter: (value: number) => Math.round(value).toLocaleString('en-US'),
    },
    axisLine: { show: true, onZero: false, lineStyle: { color: faint } },
    splitLine: { lineStyle: { color: rule } },
  };
}

/** Whole steps just outside the values, so that a narrow range fills the figure too. */
function logRange(values: readonly number[]): { readonly min: number; readonly max: number } {
  const room = 1 + roomRatio;
  const least = Math.min(...values) / room;
  const most = Math.max(...values) * room;
  const lowStep = niceStep(least / 10);
  const highStep = niceStep(most / 10);
  return {
    min: Math.max(lowStep, Math.floor(least / lowStep) * lowStep),
    max: Math.ceil(most / highStep) * highStep,
  };
}

/** Cells that differ in their arm alone, by memory. */
function strata(dots: readonly Dot[]): Dot[][] {
  const found = new Map<string, Dot[]>();
  for (const dot of dots) {
    const name = stratumName(dot);
    found.set(name, [...(found.get(name) ?? []), dot]);
  }
  return [...found.values()].map((stratum) => stratum.sort((a, b) => a.memoryMiB - b.memoryMiB));
}

function stratumName({ cell: { cell } }: Dot): string {
  return `w${cell.workers} b${cell.batchSize}`;
}

/** Named at its end with most memory. */
function stratumLine(stratum: readonly Dot[]): object {
  const last = stratum.at(-1);
  return {
    type: 'line',
    silent: true,
    symbol: 'none',
    z: 2,
    lineStyle: { color: faint, width: 1 },
    data: stratum.map((dot) => [dot.memoryMiB, dot.perSecond]),
    endLabel: {
      show: true,
      formatter: last ? stratumName(last) : '',
      ...axisText(),
      color: faint,
      fontSize: 11,
      distance: 8,
    },
  };
}

function marks(arm: string, summary: StudySummary, dots: readonly Dot[]): object {
  return {
    type: 'scatter',
    name: arm,
    symbol: armSymbol(arm, summary.arms),
    symbolSize: 10,
    z: 4,
    itemStyle: { color: armColour(arm, summary.arms) },
    data: dots.filter((dot) => dot.cell.cell.arm === arm).map((dot) => [dot.memoryMiB, dot.perSecond]),
  };
}
