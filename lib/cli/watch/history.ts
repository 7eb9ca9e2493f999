/** Figures of the last minutes for the sparklines: a mean for each stretch of ticks, so that columns do not change once drawn. */
import type { WatchedDevice, WatchState } from './watch-state.ts';

export const historyFigures = ['busyPercent', 'memoryPercent', 'powerPercent'] as const;
export type HistoryFigure = (typeof historyFigures)[number];

/** How many ticks a column of a sparkline stands for. */
const ticksPerColumn = 5;
const mostColumns = 120;

interface Stretch {
  readonly ticks: number;
  readonly sum: number;
}

/** Nothing of a tick that gave no value. */
export class WatchHistory {
  readonly #columns = new Map<string, Stretch[]>();
  #ticks = 0;

  add(state: WatchState): void {
    const begins = this.#ticks % ticksPerColumn === 0;
    this.#ticks += 1;
    for (const device of state.devices) {
      for (const figure of historyFigures) this.#put(`${device.index} ${figure}`, percentOf(device, figure), begins);
    }
  }

  /** The means, oldest first, of at most so many stretches. */
  of(device: number, figure: HistoryFigure, columns: number): number[] {
    const stretches = this.#columns.get(`${device} ${figure}`) ?? [];
    return stretches.slice(-columns).map(({ sum, ticks }) => (ticks === 0 ? 0 : sum / ticks));
  }

  #put(key: string, value: number | null, begins: boolean): void {
    const stretches = this.#columns.get(key) ?? [];
    this.#columns.set(key, stretches);
    if (begins || stretches.length === 0) stretches.push({ ticks: 0, sum: 0 });
    if (stretches.length > mostColumns) stretches.shift();
    const last = stretches.at(-1);
    if (value === null || last === undefined) return;
    stretches[stretches.length - 1] = { ticks: last.ticks + 1, sum: last.sum + value };
  }
}

/** 0 to 100; power is told of its limit. */
function percentOf(device: WatchedDevice, figure: HistoryFigure): number | null {
  if (figure === 'busyPercent') return device.gpuUtilizationPercent;
  if (figure === 'memoryPercent') return percent(device.memory.usedBytes, device.memory.totalBytes);
  return percent(device.powerMilliwatts, device.powerLimitMilliwatts);
}

function percent(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : (part / whole) * 100;
}
