/** Figure: ratios with their intervals, one a line, beside 1 and the threshold. */
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import { ratioText } from '../analysis/course-lines.ts';
import type { PairedRatio } from '../analysis/summary-model.ts';
import type { ChartOption, ChartSize } from './chart-renderer.ts';
import { axisText, chartTitle, faint, ink, niceStep, rule } from './chart-style.ts';
import { unknownText } from './decision-rows.ts';

const width = 980;
const top = 92;
/** A line of its own below the subtitle, which may have two. */
const legendHeight = 30;
const bottom = 58;
const lineHeight = 26;
/** Room for the labels, and for the figures in words at the end of each line. */
const left = 190;
const right = 262;
const roomRatio = 0.08;
/** Told apart by shape as well as by colour. */
const marks = [
  { symbol: 'circle', colour: '#0072b2' },
  { symbol: 'diamond', colour: '#d55e00' },
] as const;

export interface RatioLine {
  readonly label: string;
  /** Null: there is none; the line says so. */
  readonly ratio: PairedRatio | null;
  /** Which of the kinds it is. */
  readonly kind: 0 | 1;
}

export interface RatioFigure {
  readonly title: string;
  readonly subtitle: string;
  /** What is over what. */
  readonly axis: string;
  /** One name, or two where lines are of two kinds: then there is a legend. */
  readonly kinds: readonly [string] | readonly [string, string];
  /** From the top down. */
  readonly lines: readonly RatioLine[];
  readonly thresholdRatio: number;
}

type Known = RatioLine & { readonly ratio: PairedRatio; readonly place: number };

/** Null where no line has a ratio. */
export function ratioFigure(figure: RatioFigure): { readonly option: ChartOption; readonly size: ChartSize } | null {
  const { lines, kinds, thresholdRatio } = figure;
  const known = lines.flatMap((line, place) => (line.ratio === null ? [] : [{ ...line, ratio: line.ratio, place }]));
  if (known.length === 0) return null;
  const head = top + (kinds.length > 1 ? legendHeight : 0);
  const option = {
    title: chartTitle(figure.title, figure.subtitle),
    ...(kinds.length > 1 && {
      legend: { data: [...kinds], left: 4, top: 78, itemWidth: 14, itemGap: 40, textStyle: axisText() },
    }),
    grid: { left, right, top: head, bottom },
    xAxis: ratioAxis(figure.axis, known, thresholdRatio),
    yAxis: [
      lineAxis(lines.map(({ label }) => label)),
      { ...lineAxis(lines.map(({ ratio }) => (ratio === null ? unknownText : ratioText(ratio)))), position: 'right' },
    ],
    series: kinds.flatMap((name, kind) => seriesOf(name, kind, known, kind === 0 ? thresholdRatio : null)),
  };
  return { option, size: { width, height: head + lines.length * lineHeight + bottom } };
}

function ratioAxis(name: string, known: readonly Known[], thresholdRatio: number): object {
  const ends = known.flatMap(({ ratio }) => [ratio.ratio, ratio.lowerRatio ?? 1, ratio.upperRatio ?? 1]);
  const least = Math.min(1 - thresholdRatio, ...ends);
  const most = Math.max(1 + thresholdRatio, ...ends);
  const room = (most - least) * roomRatio;
  const interval = niceStep((most - least + 2 * room) / 7);
  return {
    type: 'value',
    min: Math.max(0, Math.floor((least - room) / interval) * interval),
    max: Math.ceil((most + room) / interval) * interval,
    interval,
    name,
    nameLocation: 'middle',
    nameGap: 30,
    nameTextStyle: axisText(),
    axisLabel: { ...axisText(), formatter: (value: number) => `${value.toFixed(interval < 0.01 ? 3 : 2)}x` },
    axisLine: { show: true, onZero: false, lineStyle: { color: faint } },
    splitLine: { lineStyle: { color: rule } },
  };
}

function lineAxis(labels: readonly string[]): object {
  return {
    type: 'category',
    inverse: true,
    data: [...labels],
    axisLabel: { ...axisText(), interval: 0 },
    axisTick: { show: false },
    axisLine: { show: false },
    splitLine: { show: false },
  };
}

/** The lines at 1 and at the threshold belong to the first kind, which every figure has. */
function seriesOf(name: string, kind: number, known: readonly Known[], thresholdRatio: number | null): object[] {
  const { symbol, colour } = marks[kind === 0 ? 0 : 1];
  const own = known.filter((line) => line.kind === kind);
  const scatter = {
    type: 'scatter',
    name,
    symbol,
    symbolSize: kind === 0 ? 10 : 12,
    z: 4,
    itemStyle: { color: colour },
    data: own.map(({ ratio, place }) => [ratio.ratio, place]),
    ...(thresholdRatio !== null && { markLine: limits(thresholdRatio) }),
  };
  return [scatter, intervals(own, colour)];
}

function limits(thresholdRatio: number): object {
  const dashed = { color: faint, type: 'dashed', width: 1 };
  return {
    silent: true,
    symbol: 'none',
    label: { show: false },
    data: [
      { xAxis: 1, lineStyle: { color: ink, type: 'solid', width: 1 } },
      { xAxis: 1 - thresholdRatio, lineStyle: dashed },
      { xAxis: 1 + thresholdRatio, lineStyle: dashed },
    ],
  };
}

function intervals(own: readonly Known[], colour: string): object {
  return {
    type: 'custom',
    z: 3,
    data: own.map(({ ratio, place }) => [ratio.ratio, place]),
    renderItem: (params: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
      const line = own[params.dataIndex];
      if (line?.ratio.lowerRatio == null || line.ratio.upperRatio === null) return { type: 'group', children: [] };
      const [x1 = 0, y1 = 0] = api.coord([line.ratio.lowerRatio, line.place]);
      const [x2 = 0, y2 = 0] = api.coord([line.ratio.upperRatio, line.place]);
      return { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 2 } };
    },
  };
}
