/** Figure: device memory by arm and workers, split into workers, MPS server and what no process is charged with. */
import type { CellMemory, CellSummary, Spread, StudySummary } from '../analysis/summary-model.ts';
import { counted } from '../core/units.ts';
import type { ChartOption, ChartSize } from './chart-renderer.ts';
import { axisScale, axisText, chartTitle, faint, ink, paper, partColours, rule } from './chart-style.ts';
import { mebibytesText } from './decision-rows.ts';

const size: ChartSize = { width: 980, height: 440 };
const mebibyte = 2 ** 20;

const parts: readonly (readonly [name: string, field: keyof CellMemory, colour: string])[] = [
  ['workers', 'workersBytes', partColours.workers],
  ['MPS server', 'mpsServerBytes', partColours.mpsServer],
  ['other processes of the server', 'serverOtherBytes', partColours.serverOther],
  ['unexplained (given to no process)', 'unexplainedBytes', partColours.unexplained],
];

/** Null where no device memory was measured. Drawn at the largest batch size, where buffers are largest. */
export function memoryFigure(summary: StudySummary): { readonly option: ChartOption; readonly size: ChartSize } | null {
  const batchSize = summary.batchSizes.at(-1);
  const cells = summary.cells.filter((cell) => cell.cell.batchSize === batchSize);
  const largest = Math.max(0, ...cells.map((cell) => cell.memory.deviceUsedBytes?.max ?? 0));
  if (largest === 0) return null;
  const shown = parts.filter(([, field]) => cells.some((cell) => (cell.memory[field]?.median ?? 0) !== 0));
  const withoutParts = cells.some((cell) => cell.memory.deviceUsedBytes && !isSplit(cell.memory));
  const stacked = shown.map(([name, field, colour]) =>
    barSeries(
      name,
      colour,
      cells.map((cell) => (isSplit(cell.memory) ? mebibytes(cell.memory[field]) : null)),
    ),
  );
  const whole = cells.map((cell) => (isSplit(cell.memory) ? null : mebibytes(cell.memory.deviceUsedBytes)));
  const series = withoutParts ? [...stacked, barSeries('not attributed', partColours.notAttributed, whole)] : stacked;
  const option = {
    title: chartTitle('Device memory by arm and workers', subtitle(batchSize)),
    legend: {
      left: 4,
      top: 72,
      itemGap: 18,
      textStyle: axisText(),
      icon: 'roundRect',
      data: series.map((one) => one.name),
    },
    grid: { left: 76, right: 20, top: 122, height: 256 },
    xAxis: cellAxis(cells),
    yAxis: memoryAxis(largest),
    series: [...series, dots(cells)],
  };
  return { option, size };
}

function subtitle(batchSize: number | undefined): string {
  return `Used over the baseline at the end of the measurement, batch size ${batchSize}. Bars: medians over valid trials, total above; dots: each trial's device total.`;
}

function isSplit(memory: CellMemory): boolean {
  return memory.workersBytes !== null && memory.mpsServerBytes !== null && memory.unexplainedBytes !== null;
}

function mebibytes(spread: Spread | null): number | null {
  return spread === null ? null : spread.median / mebibyte;
}

function barSeries(name: string, colour: string, data: readonly (number | null)[]) {
  return { type: 'bar', name, stack: 'memory', barMaxWidth: 46, itemStyle: { color: colour }, data: [...data] };
}

/** Arm under its bar; the number of workers once, under the middle of its group. */
function cellAxis(cells: readonly CellSummary[]): object {
  const labels = cells.map((cell) => {
    const group = cells.filter((other) => other.cell.workers === cell.cell.workers);
    const isMiddle = group.indexOf(cell) === Math.floor((group.length - 1) / 2);
    const workers = counted(cell.cell.workers, 'worker');
    return `${cell.cell.arm}\n${isMiddle ? workers : ' '}`;
  });
  const groupEnds = cells.map((cell, index) => cell.cell.workers !== cells[index - 1]?.cell.workers);
  return {
    type: 'category',
    data: labels,
    axisLabel: { ...axisText(), interval: 0, lineHeight: 20 },
    axisTick: { length: 40, interval: (index: number) => groupEnds[index] === true, lineStyle: { color: faint } },
    axisLine: { lineStyle: { color: faint } },
  };
}

function memoryAxis(largest: number): object {
  return {
    type: 'value',
    min: 0,
    ...axisScale((largest / mebibyte) * 1.06),
    name: 'device memory, MiB',
    nameLocation: 'middle',
    nameRotate: 90,
    nameGap: 56,
    nameTextStyle: axisText(),
    axisLabel: axisText(),
    splitLine: { lineStyle: { color: rule } },
  };
}

function dots(cells: readonly CellSummary[]): object {
  const values = cells.flatMap((cell, index) => {
    const used = cell.memory.deviceUsedBytes;
    if (used === null) return [absent(cell, index)];
    return used.values.map((bytes, place) => ({
      value: [index, bytes / mebibyte],
      // One label per bar, on its highest dot.
      label: { show: place === used.values.indexOf(used.max), formatter: mebibytesText(used.median) },
    }));
  });
  return {
    type: 'scatter',
    symbolSize: 5,
    z: 5,
    itemStyle: { color: ink, borderColor: paper, borderWidth: 0.5 },
    label: { ...axisText(), position: 'top' },
    data: values,
  };
}

/** A gap would read as no memory at all. */
function absent(cell: CellSummary, index: number) {
  const text = cell.state === 'valid' ? 'not known' : cell.state === 'invalid' ? 'INVALID' : 'not run';
  return { value: [index, 0], symbolSize: 0, label: { show: true, formatter: text, color: faint } };
}
