/** The clocks of a device through a measurement, from the samples taken beside it. */
import type { ClockSummary } from '../records/clock-summary.ts';
import type { GpuSeries } from '../records/gpu.ts';

/** Bits of NVML's clock event reasons. */
const powerCapBit = 0x4;
const hardwareBits = 0x8 | 0x80;
const thermalBits = 0x20 | 0x40;

/** A stretch of the trial's clock, ns from its origin. */
export interface MeasuredWindow {
  readonly startOffsetNs: number;
  readonly durationNs: number;
}

/** null where the device was not sampled, or no sample fell into the window. */
export function measuredClocks(series: GpuSeries | null, uuid: string, window: MeasuredWindow): ClockSummary | null {
  const device = series?.devices.find((candidate) => candidate.uuid === uuid);
  if (!series || !device) return null;
  const endNs = window.startOffsetNs + window.durationNs;
  const ticks: number[] = [];
  for (const [tick, offsetNs] of series.offsetNs.entries()) {
    if (offsetNs >= window.startOffsetNs && offsetNs < endNs) ticks.push(tick);
  }
  if (ticks.length === 0) return null;
  const known = (column: Float64Array): number[] =>
    ticks.map((tick) => column[tick] ?? Number.NaN).filter((value) => !Number.isNaN(value));
  const clocks = known(device.smClockMhz);
  const masks = known(device.throttleReasonMask);
  const having = (bits: number): number => masks.filter((mask) => (mask & bits) !== 0).length;
  return {
    samples: ticks.length,
    meanSmClockMhz: clocks.length === 0 ? null : clocks.reduce((sum, clock) => sum + clock, 0) / clocks.length,
    reasonSamples: masks.length,
    hardwareSlowdownSamples: having(hardwareBits),
    thermalSamples: having(thermalBits),
    powerCapSamples: having(powerCapBit),
  };
}
