/** Figure: throughput by batch size and arm, one panel per number of workers, every trial a dot. */
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemReturn } from 'echarts';
import type { CellSummary, Spread, StudySummary } from '../analysis/summary-model.ts';
import { counted } from '../core/units.ts';
import type { ChartOption, ChartSize } from './chart-renderer.ts';
import { armColour, axisScale, axisText, chartTitle, faint, fontFamily, ink, paper, rule } from './chart-style.ts';

const width = 980;
const mostPanelsPerRow = 3;
/** A bar narrower than this, in pixels, hides its dots: then fewer panels share a row. */
const narrowestSlot = 14;
const widestSlot = 46;
const panelHeight = 250;
const top = 122;
const left = 64;
const gapX = 34;
const gapY = 84;
/** Share of a batch size's room that its bars take. */
const groupRatio = 0.8;

interface Panel {
  readonly workers: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  /** First of its row: it has the labels of the axis. */
  readonly leads: boolean;
}

export function throughputFigure(summary: StudySummary): { readonly option: ChartOption; readonly size: ChartSize } {
  const panels = panelsOf(summary);
  const rows = panels.filter((panel) => panel.leads).length;
  const scale = axisScale(Math.max(0, ...summary.cells.map((cell) => cell.throughputPerSecond?.max ?? 0)));
  const option = {
    title: chartTitle('Throughput by batch size', subtitle(summary)),
    legend: { data: [...summary.arms], left: 4, top: 72, itemGap: 18, textStyle: axisText(), icon: 'roundRect' },
    grid: panels.map(({ left: x, top: y, width: w }) => ({ left: x, top: y, width: w, height: panelHeight })),
    xAxis: panels.map((_, index) => batchAxis(summary, index)),
    yAxis: panels.map((panel, index) => rateAxis(scale, index, panel.leads)),
    graphic: panels.map((panel) => panelHeading(panel)),
    series: panels.flatMap((panel, index) => summary.arms.map((arm) => armSeries(summary, panel, index, arm))),
  };
  return { option, size: { width, height: top + rows * panelHeight + (rows - 1) * gapY + 58 } };
}

function panelsOf({ workers, batchSizes, arms }: StudySummary): Panel[] {
  const widthOf = (columns: number): number => (width - left - 20 - (columns - 1) * gapX) / columns;
  const slotOf = (columns: number): number => (widthOf(columns) / batchSizes.length) * (groupRatio / arms.length);
  let columns = Math.min(mostPanelsPerRow, workers.length);
  while (columns > 1 && slotOf(columns) < narrowestSlot) columns--;
  // One or two panels with few bars would only be stretched.
  const panelWidth = Math.min(
    widthOf(columns),
    Math.max(430, (batchSizes.length * arms.length * widestSlot) / groupRatio),
  );
  return workers.map((count, index) => ({
    workers: count,
    left: left + (index % columns) * (panelWidth + gapX),
    top: top + 14 + Math.floor(index / columns) * (panelHeight + gapY),
    width: panelWidth,
    leads: index % columns === 0,
  }));
}

function subtitle(summary: StudySummary): string {
  const counts = summary.cells.map((cell) => cell.trialsValid);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const n = least === most ? `n = ${most}` : `n = ${least} to ${most}`;
  return `Requests per second, complete and as expected. Dot: one valid trial (${n} per bar); bar and dark line: median; thin line: min to max.`;
}

function batchAxis(summary: StudySummary, gridIndex: number): object {
  return {
    type: 'category',
    gridIndex,
    data: summary.batchSizes.map(String),
    name: 'batch size',
    nameLocation: 'middle',
    nameGap: 28,
    nameTextStyle: axisText(),
    axisLabel: axisText(),
    axisTick: { show: false },
    axisLine: { lineStyle: { color: faint } },
  };
}

function rateAxis(
  scale: { readonly max: number; readonly interval: number },
  gridIndex: number,
  leads: boolean,
): object {
  return {
    type: 'value',
    gridIndex,
    min: 0,
    ...scale,
    name: leads ? 'requests/s' : '',
    nameLocation: 'middle',
    nameRotate: 90,
    nameGap: 46,
    nameTextStyle: axisText(),
    axisLabel: { ...axisText(), show: leads },
    splitLine: { lineStyle: { color: rule } },
  };
}

function panelHeading(panel: Panel): object {
  const text = counted(panel.workers, 'worker');
  const style = { text, fill: ink, font: `600 13px ${fontFamily}`, textAlign: 'center' };
  return { type: 'text', x: panel.left + panel.width / 2, y: panel.top - 20, style };
}

function armSeries(summary: StudySummary, panel: Panel, gridIndex: number, arm: string): object {
  const colour = armColour(arm, summary.arms);
  const cells = summary.batchSizes.map((batchSize) =>
    summary.cells.find((cell) => isCell(cell, panel.workers, batchSize, arm)),
  );
  return {
    type: 'custom',
    name: arm,
    color: colour,
    itemStyle: { color: colour },
    xAxisIndex: gridIndex,
    yAxisIndex: gridIndex,
    encode: { x: 0, y: [1, 2] },
    data: cells.map((cell, index) => [index, cell?.throughputPerSecond?.min ?? 0, cell?.throughputPerSecond?.max ?? 0]),
    renderItem: (params: { readonly dataIndex: number }, api: CustomSeriesRenderItemAPI) =>
      drawCell(cells[params.dataIndex], params.dataIndex, summary.arms.indexOf(arm), summary.arms.length, colour, api),
  };
}

function isCell(cell: CellSummary, workers: number, batchSize: number, arm: string): boolean {
  return cell.cell.workers === workers && cell.cell.batchSize === batchSize && cell.cell.arm === arm;
}

function drawCell(
  cell: CellSummary | undefined,
  category: number,
  place: number,
  places: number,
  colour: string,
  api: CustomSeriesRenderItemAPI,
): CustomSeriesRenderItemReturn {
  const size = api.size?.([1, 0]);
  const band = Array.isArray(size) ? (size[0] ?? 0) : 0;
  const slot = Math.min((band * groupRatio) / places, widestSlot);
  const at = (value: number): readonly [number, number] => {
    const [x = 0, y = 0] = api.coord([category, value]);
    return [x + (place - (places - 1) / 2) * slot, y];
  };
  const spread = cell?.throughputPerSecond;
  if (!spread) return missing(cell, at(0));
  return { type: 'group', children: [...barOf(spread, slot * 0.84, colour, at), ...dotsOf(spread, slot, colour, at)] };
}

function missing(cell: CellSummary | undefined, [x, y]: readonly [number, number]): CustomSeriesRenderItemReturn {
  const text = cell?.state === 'invalid' ? 'INVALID' : 'not run';
  const style = {
    text,
    fill: faint,
    font: `11px ${fontFamily}`,
    textAlign: 'left',
    textVerticalAlign: 'middle',
  } as const;
  return { type: 'text', x, y: y - 6, rotation: Math.PI / 2, style };
}

type Place = (value: number) => readonly [number, number];

function barOf(spread: Spread, barWidth: number, colour: string, at: Place) {
  const [x, floor] = at(0);
  const [, middle] = at(spread.median);
  const [, low] = at(spread.min);
  const [, high] = at(spread.max);
  const half = barWidth / 2;
  return [
    {
      type: 'rect' as const,
      shape: { x: x - half, y: middle, width: barWidth, height: floor - middle },
      style: { fill: colour, opacity: 0.28 },
    },
    { type: 'line' as const, shape: { x1: x, y1: low, x2: x, y2: high }, style: { stroke: ink, lineWidth: 1 } },
    {
      type: 'line' as const,
      shape: { x1: x - half, y1: middle, x2: x + half, y2: middle },
      style: { stroke: colour, lineWidth: 2.5 },
    },
  ];
}

/** Beside each other in the order of the blocks, so that a drift over the study can be seen. */
function dotsOf(spread: Spread, slot: number, colour: string, at: Place) {
  const step = (slot * 0.6) / Math.max(1, spread.values.length - 1);
  const radius = Math.min(2.6, Math.max(1.5, slot * 0.13));
  return spread.values.map((value, index) => {
    const [x, y] = at(value);
    const shift = (index - (spread.values.length - 1) / 2) * step;
    return {
      type: 'circle' as const,
      shape: { cx: x + shift, cy: y, r: radius },
      style: { fill: colour, stroke: paper, lineWidth: 0.6 },
    };
  });
}
