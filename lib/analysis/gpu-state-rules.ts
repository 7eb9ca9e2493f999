/** Rules over the state of the GPU through a trial: clocks, memory errors, compute mode. Blind to the arm. */
import type { DeviceReading } from '../records/gpu.ts';
import type { StudyPlan } from '../records/plan.ts';
import type { Reason, TrialRecord } from '../records/trial.ts';
import { median } from '../stats/quantile.ts';
import { selectDevice } from './gpu-attribution.ts';

/** Share of the block's median below which the mean SM clock of a trial voids it (method R17). */
export const leastClockRatio = 0.97;
/** Share of the samples at the power limit from which a trial is marked. */
export const powerCapMarkRatio = 0.5;

const throttledAdvice =
  'let the device cool, lock its clocks below where it throttles (nvidia-smi -lgc), or see who shares its power and air';

/** Any sample with a slowdown by hardware, by power brake or by heat. */
export function clocksHeldDown({ gpu }: TrialRecord): Reason | null {
  const clocks = gpu?.clocks ?? null;
  if (clocks === null || clocks.hardwareSlowdownSamples + clocks.thermalSamples === 0) return null;
  const { hardwareSlowdownSamples: hardware, thermalSamples: thermal, reasonSamples } = clocks;
  return {
    code: 'clocks-throttled',
    message: `clocks were held down in ${hardware} of ${reasonSamples} samples by hardware or power brake, in ${thermal} by heat`,
    advice: throttledAdvice,
  };
}

/** Against the median over the measured attempts of the block, whatever their arm. */
export function clocksBelowBlock({ gpu }: TrialRecord, block: readonly TrialRecord[]): Reason | null {
  const clock = gpu?.clocks?.meanSmClockMhz ?? null;
  const others = block.flatMap((record) => record.gpu?.clocks?.meanSmClockMhz ?? []);
  // Of two trials none can say which of them is out of line.
  if (clock === null || others.length < 3) return null;
  const middle = median(others);
  if (clock >= leastClockRatio * middle) return null;
  return {
    code: 'clocks-throttled',
    message: `the mean SM clock was ${Math.round(clock)} MHz, below ${leastClockRatio * 100} % of the ${Math.round(middle)} MHz of its block`,
    advice: throttledAdvice,
  };
}

/** Marked: at its power limit a device may be kept by the very load that is compared. */
export function powerCapped({ gpu }: TrialRecord): Reason | null {
  const clocks = gpu?.clocks ?? null;
  if (clocks === null || clocks.reasonSamples === 0) return null;
  const share = clocks.powerCapSamples / clocks.reasonSamples;
  if (share < powerCapMarkRatio) return null;
  return {
    code: 'power-capped',
    message: `the device was at its power limit in ${Math.round(share * 100)} % of the samples`,
    advice: 'read throughput as that at this power limit: a more efficient arm clocks higher under it',
  };
}

export function eccErrors(record: TrialRecord, _figures: unknown, plan: StudyPlan): Reason | null {
  const { before, after } = ends(record, plan);
  const grown = (of: (reading: DeviceReading) => number | null | undefined): number =>
    Math.max(0, ((after && of(after)) ?? 0) - ((before && of(before)) ?? 0));
  const knew = before?.eccUncorrectedErrors ?? null;
  if (knew === null) return null;
  const uncorrected = grown((reading) => reading.eccUncorrectedErrors);
  const corrected = grown((reading) => reading.eccCorrectedErrors);
  if (uncorrected === 0 && corrected === 0) return null;
  const counts = `${uncorrected} uncorrected and ${corrected} corrected memory errors during the trial`;
  const advice = 'see nvidia-smi -q -d ECC; a device with errors is no device to measure on';
  return { code: uncorrected > 0 ? 'ecc-errors' : 'ecc-corrected', message: counts, advice };
}

export function computeModeChanged(record: TrialRecord, _figures: unknown, plan: StudyPlan): Reason | null {
  const { before, after } = ends(record, plan);
  if (!before?.computeMode || !after?.computeMode || before.computeMode === after.computeMode) return null;
  return {
    code: 'compute-mode-changed',
    message: `the compute mode was ${before.computeMode} before the trial and ${after.computeMode} at its end`,
    advice: 'somebody set it (nvidia-smi -c) while the study ran; keep it as it is',
  };
}

/** The device before the trial, and when it was last read. */
function ends(
  { gpu }: TrialRecord,
  plan: StudyPlan,
): {
  readonly before: DeviceReading | undefined;
  readonly after: DeviceReading | undefined;
} {
  const last = gpu?.after ?? gpu?.loaded ?? gpu?.ready ?? null;
  return {
    before: gpu ? selectDevice(gpu.baseline, plan.gpu.device) : undefined,
    after: last ? selectDevice(last, plan.gpu.device) : undefined,
  };
}
