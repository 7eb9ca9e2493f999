/** Figure: throughput ratio against memory ratio to 'off', one dot per cell, in four named quadrants. */
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { CellSummary, Comparison, PairedRatio, Spread, StudySummary } from '../analysis/summary-model.ts';
import type { ChartOption, ChartSize } from './chart-renderer.ts';
import { armColour, armSymbol, axisText, chartTitle, faint, fontFamily, ink, niceStep, rule } from './chart-style.ts';

const size: ChartSize = { width: 980, height: 580 };
const box = { left: 70, right: 24, top: 116, bottom: 62 } as const;
/** Room at the ends of an axis, as a share of what it holds. */
const roomRatio = 0.06;
const labelHeight = 14;
const labelWidth = 52;

interface LabelPlace {
  readonly position: 'left' | 'right';
  /** Pixels right and down. */
  readonly offset: readonly [number, number];
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly interval: number;
}

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
  const places = labelPlaces(dots, memory, throughput);
  const option = {
    title: chartTitle('Throughput against memory, relative to off', subtitle(dots)),
    legend: { data: arms, left: 4, top: 72, itemWidth: 14, itemGap: 16, textStyle: axisText() },
    grid: box,
    xAxis: axis('memory: device used over baseline, ratio to off', memory, 30),
    yAxis: { ...axis('throughput, ratio to off', throughput, 42), nameRotate: 90 },
    graphic: quadrants(memory, throughput),
    series: arms.flatMap((arm) => seriesOf(arm, summary, dots, places)),
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

/** A stretch that holds 1 and all values, with room at its ends, from label to label. */
function range(values: readonly number[]): Range {
  const least = Math.min(1, ...values);
  const most = Math.max(1, ...values);
  const room = Math.max(most - least, 0.05) * roomRatio;
  const interval = niceStep((most - least + 2 * room) / 7);
  const min = Math.max(0, Math.floor((least - room) / interval) * interval);
  return { min, max: Math.ceil((most + room) / interval) * interval, interval };
}

function axis(name: string, range: Range, nameGap: number): object {
  return {
    type: 'value',
    ...range,
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
function quadrants(memory: Range, throughput: Range): object[] {
  const right = size.width - box.right;
  const bottom = size.height - box.bottom;
  const { x: oneX, y: oneY } = pixel(1, 1, memory, throughput);
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

function seriesOf(
  arm: string,
  summary: StudySummary,
  all: readonly Dot[],
  places: ReadonlyMap<Dot, LabelPlace>,
): object[] {
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
      data: dots.map((dot) => ({
        name: label(dot.cell),
        value: [dot.memory.median, dot.throughput.ratio],
        label: { ...places.get(dot) },
      })),
      label: { show: true, formatter: '{b}', ...axisText(), fontSize: 11 },
      markLine: { ...lines, data: [{ xAxis: 1 }, { yAxis: 1 }] },
    },
    intervals(dots, colour),
  ];
}

/** Where a point lies in the figure. */
function pixel(
  memoryRatio: number,
  throughputRatio: number,
  memory: Range,
  throughput: Range,
): { x: number; y: number } {
  const width = size.width - box.left - box.right;
  const height = size.height - box.top - box.bottom;
  return {
    x: box.left + ((memoryRatio - memory.min) / (memory.max - memory.min)) * width,
    y: box.top + ((throughput.max - throughputRatio) / (throughput.max - throughput.min)) * height,
  };
}

/** Labels stand to the right of their marks, or to the left where a mark is in the way; none covers another. */
function labelPlaces(dots: readonly Dot[], memory: Range, throughput: Range): Map<Dot, LabelPlace> {
  const marks = dots
    .map((dot) => ({ dot, ...pixel(dot.memory.median, dot.throughput.ratio, memory, throughput) }))
    .sort((a, b) => a.y - b.y);
  const placed: { readonly x: number; readonly y: number }[] = [];
  const places = new Map<Dot, LabelPlace>();
  for (const { dot, x, y } of marks) {
    const blocked = marks.some(
      (mark) => mark.x > x + 8 && mark.x < x + labelWidth && Math.abs(mark.y - y) < labelHeight,
    );
    const start = blocked ? x - labelWidth : x;
    const near = placed.filter((other) => Math.abs(other.x - start) < labelWidth).map((other) => other.y + labelHeight);
    const at = Math.max(y, ...near);
    placed.push({ x: start, y: at });
    places.set(dot, { position: blocked ? 'left' : 'right', offset: [0, at - y] });
  }
  return places;
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
