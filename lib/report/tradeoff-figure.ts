/** Figure: throughput ratio against memory ratio to 'off', one dot per cell, in four named quadrants. */
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { CellSummary, Comparison, PairedRatio, Spread, StudySummary } from '../analysis/summary-model.ts';
import type { ChartOption, ChartSize } from './chart-renderer.ts';
import { armColour, armSymbol, axisText, chartTitle, faint, fontFamily, ink, rule } from './chart-style.ts';

const size: ChartSize = { width: 980, height: 580 };
const box = { left: 70, right: 24, top: 116, bottom: 62 } as const;
const padding = 0.1;

interface Dot {
  readonly cell: CellSummary;
  readonly memory: Spread;
  readonly throughput: PairedRatio;
}

/** Null where no cell has both ratios. */
export function tradeoffFigure(
  summary: StudySummary,
): { readonly option: ChartOption; readonly size: ChartSize } | null {
  const dots = summary.cells.flatMap((cell) => dotOf(cell, cell.comparison));
  if (dots.length === 0) return null;
  const memory = range(dots.map((dot) => dot.memory.median));
  const throughput = range(
    dots.flatMap((dot) => [dot.throughput.ratio, dot.throughput.lowerRatio ?? 1, dot.throughput.upperRatio ?? 1]),
  );
  const arms = summary.arms.filter((arm) => dots.some((dot) => dot.cell.cell.arm === arm));
  const option = {
    title: chartTitle('Throughput against memory, relative to off', subtitle(dots)),
    legend: { data: arms, left: 16, top: 72, textStyle: axisText() },
    grid: box,
    xAxis: axis('memory: device used over baseline, ratio to off', memory, 30),
    yAxis: { ...axis('throughput, ratio to off', throughput, 42), nameRotate: 90 },
    graphic: quadrants(memory, throughput),
    series: arms.flatMap((arm) => seriesOf(arm, summary, dots)),
  };
  return { option, size };
}

function dotOf(cell: CellSummary, comparison: Comparison | null): Dot[] {
  if (!comparison?.memoryRatio || !comparison.throughput) return [];
  return [{ cell, memory: comparison.memoryRatio, throughput: comparison.throughput }];
}

function subtitle(dots: readonly Dot[]): string {
  const pairs = dots.map((dot) => dot.throughput.pairs);
  const [least, most] = [Math.min(...pairs), Math.max(...pairs)];
  const n = least === most ? `${most}` : `${least} to ${most}`;
  return `One mark per cell against off at the same workers (w) and batch size (b), n = ${n} pairs each; line: 95 % interval of the throughput ratio.`;
}

/** A stretch that holds 1 and all values, with room at its ends. */
function range(values: readonly number[]): { readonly min: number; readonly max: number } {
  const min = Math.min(1, ...values);
  const max = Math.max(1, ...values);
  const room = Math.max(max - min, 0.1) * padding;
  const down = (value: number): number => Math.floor(value * 20) / 20;
  return { min: Math.max(0, down(min - room)), max: -down(-(max + room)) };
}

function axis(name: string, { min, max }: { readonly min: number; readonly max: number }, nameGap: number): object {
  return {
    type: 'value',
    min,
    max,
    name,
    nameLocation: 'middle',
    nameGap,
    nameTextStyle: axisText(),
    axisLabel: { ...axisText(), formatter: (value: number) => `${value.toFixed(2)}x` },
    axisLine: { show: true, onZero: false, lineStyle: { color: faint } },
    splitLine: { lineStyle: { color: rule } },
  };
}

/** Names in the corners of the plot. A quadrant that is too narrow for its name has none. */
function quadrants(
  memory: { readonly min: number; readonly max: number },
  throughput: { readonly min: number; readonly max: number },
): object[] {
  const right = size.width - box.right;
  const bottom = size.height - box.bottom;
  const oneX = box.left + ((1 - memory.min) / (memory.max - memory.min)) * (right - box.left);
  const oneY = box.top + ((throughput.max - 1) / (throughput.max - throughput.min)) * (bottom - box.top);
  const corner = (text: string, x: number, y: number, textAlign: 'left' | 'right'): object[] => {
    const room = textAlign === 'left' ? oneX - box.left : right - oneX;
    const height = y < bottom - 40 ? oneY - box.top : bottom - oneY;
    if (room < 150 || height < 26) return [];
    return [{ type: 'text', x, y, style: { text, fill: faint, font: `italic 13px ${fontFamily}`, textAlign } }];
  };
  return [
    ...corner('faster, less memory', box.left + 10, box.top + 8, 'left'),
    ...corner('faster, more memory', right - 10, box.top + 8, 'right'),
    ...corner('slower, less memory', box.left + 10, bottom - 22, 'left'),
    ...corner('slower, more memory', right - 10, bottom - 22, 'right'),
  ];
}

function seriesOf(arm: string, summary: StudySummary, all: readonly Dot[]): object[] {
  const colour = armColour(arm, summary.arms);
  const dots = all.filter((dot) => dot.cell.cell.arm === arm);
  const lines = {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: ink, type: 'solid', width: 1 },
  };
  return [
    {
      type: 'scatter',
      name: arm,
      symbol: armSymbol(arm, summary.arms),
      symbolSize: 11,
      z: 4,
      itemStyle: { color: colour },
      data: dots.map((dot) => ({ name: label(dot.cell), value: [dot.memory.median, dot.throughput.ratio] })),
      label: { show: true, position: 'right', formatter: '{b}', ...axisText(), fontSize: 11 },
      labelLayout: { moveOverlap: 'shiftY' },
      markLine: { ...lines, data: [{ xAxis: 1 }, { yAxis: 1 }] },
    },
    intervals(dots, colour),
  ];
}

function label(cell: CellSummary): string {
  return `w${cell.cell.workers} b${cell.cell.batchSize}`;
}

function intervals(dots: readonly Dot[], colour: string): object {
  return {
    type: 'custom',
    z: 3,
    data: dots.map((dot) => [dot.memory.median, dot.throughput.ratio]),
    renderItem: (params: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
      const dot = dots[params.dataIndex];
      if (dot?.throughput.lowerRatio == null || dot.throughput.upperRatio === null)
        return { type: 'group', children: [] };
      const [x1 = 0, y1 = 0] = api.coord([dot.memory.median, dot.throughput.lowerRatio]);
      const [x2 = 0, y2 = 0] = api.coord([dot.memory.median, dot.throughput.upperRatio]);
      return { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 1.5 } };
    },
  };
}
