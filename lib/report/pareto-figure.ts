/** Figure: the frontier of throughput and memory; configurations that another one beats are drawn faint. */
import type { CellSummary, StudySummary } from '../analysis/summary-model.ts';
import type { ChartOption, ChartSize } from './chart-renderer.ts';
import { armColour, armSymbol, axisScale, axisText, chartTitle, faint, ink, rule } from './chart-style.ts';

const size: ChartSize = { width: 980, height: 540 };
const mebibyte = 2 ** 20;

interface Dot {
  readonly cell: CellSummary;
  readonly memoryMiB: number;
  readonly perSecond: number;
  readonly onFrontier: boolean;
  readonly recommended: boolean;
}

/** Null where memory was not weighed. */
export function paretoFigure(summary: StudySummary): { readonly option: ChartOption; readonly size: ChartSize } | null {
  if (!summary.frontier.dimensions.includes('memory')) return null;
  const dots = summary.cells.flatMap((cell) => dotOf(cell, summary));
  if (dots.length < 2) return null;
  const arms = summary.arms.filter((arm) => dots.some((dot) => dot.cell.cell.arm === arm));
  const option = {
    title: chartTitle('Pareto frontier of throughput and memory', subtitle(summary)),
    legend: { data: [...arms], left: 4, top: 76, itemWidth: 14, itemGap: 16, textStyle: axisText() },
    grid: { left: 84, right: 40, top: 118, bottom: 62 },
    xAxis: axis('peak of device memory over baseline, MiB', 30, Math.max(...dots.map((dot) => dot.memoryMiB))),
    yAxis: { ...axis('requests per second', 62, Math.max(...dots.map((dot) => dot.perSecond))), nameRotate: 90 },
    series: [frontierLine(dots), ...arms.map((arm) => marks(arm, summary, dots)), ring(dots)],
  };
  return { option, size };
}

function dotOf(cell: CellSummary, { frontier, recommendation }: StudySummary): Dot[] {
  const peak = cell.ledger.decisivePeakBytes?.median ?? null;
  const rate = cell.throughputPerSecond?.median ?? null;
  if (peak === null || rate === null) return [];
  return [
    {
      cell,
      memoryMiB: peak / mebibyte,
      perSecond: rate,
      onFrontier: frontier.cellIds.includes(cell.cellId),
      recommended: recommendation?.cellId === cell.cellId,
    },
  ];
}

function subtitle({ frontier }: StudySummary): string {
  const weighed = frontier.dimensions.includes('p99')
    ? 'throughput, memory and p99 at the same rate'
    : 'throughput and memory';
  return `Medians. On the line: no other configuration is at least as good in ${weighed} and better in one.\nFaint: another one is. Ring: recommended. w = workers, b = batch size.`;
}

function axis(name: string, nameGap: number, largest: number): object {
  return {
    type: 'value',
    min: 0,
    ...axisScale(largest),
    name,
    nameLocation: 'middle',
    nameGap,
    nameTextStyle: axisText(),
    axisLabel: axisText(),
    axisLine: { show: true, lineStyle: { color: faint } },
    splitLine: { lineStyle: { color: rule } },
  };
}

function frontierLine(dots: readonly Dot[]): object {
  const line = dots.filter((dot) => dot.onFrontier).sort((a, b) => a.memoryMiB - b.memoryMiB);
  return {
    type: 'line',
    silent: true,
    symbol: 'none',
    step: 'end',
    z: 2,
    lineStyle: { color: ink, width: 1.5 },
    data: line.map((dot) => [dot.memoryMiB, dot.perSecond]),
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
    data: dots
      .filter((dot) => dot.cell.cell.arm === arm)
      .map((dot) => ({
        value: [dot.memoryMiB, dot.perSecond],
        itemStyle: { opacity: dot.onFrontier ? 1 : 0.35 },
        label: {
          show: dot.onFrontier,
          // What is left of the frontier is empty.
          position: 'left',
          distance: dot.recommended ? 12 : 6,
          formatter: `w${dot.cell.cell.workers} b${dot.cell.cell.batchSize}`,
          ...axisText(),
          fontSize: 11,
        },
      })),
  };
}

function ring(dots: readonly Dot[]): object {
  return {
    type: 'scatter',
    silent: true,
    symbol: 'circle',
    symbolSize: 22,
    z: 5,
    itemStyle: { color: 'none', borderColor: ink, borderWidth: 2 },
    data: dots.filter((dot) => dot.recommended).map((dot) => [dot.memoryMiB, dot.perSecond]),
  };
}
