/** The memory ledger of a cell: idle, steady and peak, and what the memory is made of (method R21). */
import { z } from 'zod';
import type { Environment } from '../records/environment.ts';
import { type Spread, spreadOf, spreadSchema } from './spread.ts';
import type { TrialEntry } from './summary-model.ts';

const spread = spreadSchema.nullable();

const momentSchema = z.object({
  /** Over the baseline. */
  deviceUsedBytes: spread,
  workersBytes: spread,
  mpsServerBytes: spread,
});

export const ledgerPartsSchema = z.object({
  /** What contexts take before anything is loaded: workers x the figure of one; null where the host's is not known. */
  bareContextBytes: spread,
  /** Idle workers less their bare contexts. */
  librariesAndWeightsBytes: spread,
  /** Both of them: what the workers hold when they are ready and idle. */
  idleWorkersBytes: spread,
  /** Workers while they are measured, less what they held when idle. */
  activationsAndCacheBytes: spread,
  mpsServerBytes: spread,
  /** The server's processes that are not workers. */
  serverOtherBytes: spread,
  /** Device used less all listed processes. */
  unexplainedBytes: spread,
});
export type LedgerParts = z.infer<typeof ledgerPartsSchema>;

export const cellLedgerSchema = z.object({
  /** Of the samples that steady and peak come from; null where none were taken. */
  samplePeriodNs: z.number().int().positive().nullable(),
  /** Workers ready and one answer checked, before the warm-up. */
  idle: momentSchema,
  /** Median of the samples within the measurement. */
  steady: momentSchema,
  /** Maximum of the samples within the measurement. */
  peak: momentSchema,
  /** Of the steady state; medians over trials. */
  parts: ledgerPartsSchema,
  /**
   * Whether the listed processes account for the device. closes: to what the driver keeps for itself; unexplained: more
   * than that is held by nobody; overlap: processes hold more than the device has in use; unknown: a part is missing.
   */
  sum: z.enum(['closes', 'unexplained', 'overlap', 'unknown']),
  /** Peak of device used, from samples where there are any, else the reading at the end of the measurement. */
  decisivePeakBytes: spread,
  decisivePeakFrom: z.enum(['samples', 'end-of-measurement']).nullable(),
  /** Field -> why it is null. */
  unavailable: z.record(z.string(), z.string()),
});
export type CellLedger = z.infer<typeof cellLedgerSchema>;

type Figure = (trial: TrialEntry) => number | null;
type MomentOf = (trial: TrialEntry) => {
  readonly deviceUsedBytes: number | null;
  readonly workersBytes: number | null;
  readonly mpsServerBytes: number | null;
} | null;

const mebibyte = 2 ** 20;
/** What the driver keeps for itself with an MPS server, and beside the figure of each context (H100 and H200, driver 580). */
const driverBytes = 100 * mebibyte;
const perContextBytes = 10 * mebibyte;
/** Readings of the device and of its processes are not of the same instant. */
const overlapBytes = 16 * mebibyte;

/** A trial's peak of device used: of its samples, or what was read at the end of its measurement. Bytes. */
export function decisivePeak(trial: TrialEntry): number | null {
  return trial.figures.sampledMemory?.peak.deviceUsedBytes ?? trial.figures.loadedMemory?.deviceUsedBytes ?? null;
}

/** What one bare context takes in the arm on the device; null where it was not measured on this host. Bytes. */
export function bareContext(environment: Environment, arm: string, deviceUuid: string | null): number | null {
  const found = environment.bareContexts.find((entry) => entry.arm === arm && entry.deviceUuid === deviceUuid);
  return found?.processBytes ?? null;
}

/** `usable`: valid trials of the cell. `bareContextBytes`: of one worker; null = not known. */
export function cellLedger(
  usable: readonly TrialEntry[],
  workers: number,
  bareContextBytes: number | null,
): CellLedger {
  const unavailable: Record<string, string> = {};
  const figure = (name: string, of: Figure, why: () => string): Spread | null => {
    const found = spreadOf(usable.map(of).filter((value) => value !== null));
    if (found === null) unavailable[name] = usable.length === 0 ? 'no trial is valid' : why();
    return found;
  };
  const idle: MomentOf = (trial) => trial.figures.readyMemory;
  const steady: MomentOf = (trial) => trial.figures.sampledMemory?.steady ?? null;
  const peak: MomentOf = (trial) => trial.figures.sampledMemory?.peak ?? null;
  const moment = (name: string, of: MomentOf) => ({
    deviceUsedBytes: figure(
      `${name}.deviceUsedBytes`,
      (trial) => of(trial)?.deviceUsedBytes ?? null,
      whyIn(usable, name, 'deviceUsedBytes'),
    ),
    workersBytes: figure(
      `${name}.workersBytes`,
      (trial) => of(trial)?.workersBytes ?? null,
      whyIn(usable, name, 'workersBytes'),
    ),
    mpsServerBytes: figure(
      `${name}.mpsServerBytes`,
      (trial) => of(trial)?.mpsServerBytes ?? null,
      whyIn(usable, name, 'mpsServerBytes'),
    ),
  });
  const moments = { idle: moment('idle', idle), steady: moment('steady', steady), peak: moment('peak', peak) };
  const parts = partsOf(figure, workers, bareContextBytes);
  const first = usable[0];
  return {
    samplePeriodNs: first?.figures.sampledMemory?.samplePeriodNs ?? null,
    ...moments,
    parts,
    sum: sumOf(parts, moments.steady.deviceUsedBytes, workers),
    decisivePeakBytes: figure('decisivePeakBytes', decisivePeak, () => 'no device memory is known'),
    decisivePeakFrom: peakFrom(usable),
    unavailable,
  };
}

function whyIn(
  usable: readonly TrialEntry[],
  moment: string,
  field: 'deviceUsedBytes' | 'workersBytes' | 'mpsServerBytes',
): () => string {
  return () => {
    const figures = usable[0]?.figures;
    const ofMoment = moment === 'idle' ? figures?.readyMemory : figures?.sampledMemory;
    const whole = figures?.unavailable[moment === 'idle' ? 'readyMemory' : 'sampledMemory'];
    return ofMoment?.unavailable[field] ?? whole ?? 'not recorded';
  };
}

function partsOf(
  figure: (name: string, of: Figure, why: () => string) => Spread | null,
  workers: number,
  bareContextBytes: number | null,
): LedgerParts {
  const notMeasured = 'the bare context of this arm was not measured on this host';
  const idleWorkers: Figure = (trial) => trial.figures.readyMemory?.workersBytes ?? null;
  const steadyWorkers: Figure = (trial) => trial.figures.sampledMemory?.steady.workersBytes ?? null;
  const contexts = bareContextBytes === null ? null : bareContextBytes * workers;
  const part = (name: keyof LedgerParts, of: Figure, why = 'a part that it is made from is not known'): Spread | null =>
    figure(`parts.${name}`, of, () => why);
  return {
    bareContextBytes: part('bareContextBytes', () => contexts, notMeasured),
    librariesAndWeightsBytes: part(
      'librariesAndWeightsBytes',
      (trial) => less(idleWorkers(trial), contexts),
      contexts === null ? notMeasured : undefined,
    ),
    idleWorkersBytes: part('idleWorkersBytes', idleWorkers),
    activationsAndCacheBytes: part('activationsAndCacheBytes', (trial) =>
      less(steadyWorkers(trial), idleWorkers(trial)),
    ),
    mpsServerBytes: part('mpsServerBytes', (trial) => trial.figures.sampledMemory?.steady.mpsServerBytes ?? null),
    serverOtherBytes: part('serverOtherBytes', (trial) => trial.figures.loadedMemory?.serverOtherBytes ?? null),
    unexplainedBytes: part('unexplainedBytes', (trial) => trial.figures.sampledMemory?.unexplainedBytes ?? null),
  };
}

function less(value: number | null, part: number | null): number | null {
  return value === null || part === null ? null : value - part;
}

function sumOf(parts: LedgerParts, device: Spread | null, workers: number): CellLedger['sum'] {
  const unexplained = parts.unexplainedBytes?.median ?? null;
  if (unexplained === null || device === null) return 'unknown';
  if (unexplained < -overlapBytes) return 'overlap';
  return unexplained > driverBytes + perContextBytes * workers ? 'unexplained' : 'closes';
}

function peakFrom(usable: readonly TrialEntry[]): CellLedger['decisivePeakFrom'] {
  const known = usable.filter((trial) => decisivePeak(trial) !== null);
  if (known.length === 0) return null;
  return known.every((trial) => trial.figures.sampledMemory?.peak.deviceUsedBytes != null)
    ? 'samples'
    : 'end-of-measurement';
}
