/** Whether a trial may be used: what went wrong while it ran, and rules over its figures. Blind to the arm. */
import { z } from 'zod';
import { keptTo } from '../core/cpu-list.ts';
import { formatBytes, formatDuration, formatRate, type Nanoseconds } from '../core/units.ts';
import { lagLimitRatio, leastHeadroomRatio, littlesLawTolerance } from '../records/generator-limits.ts';
import type { ClientPlacement } from '../records/placement.ts';
import type { StudyPlan } from '../records/plan.ts';
import { type Reason, reasonSchema, type TrialRecord } from '../records/trial.ts';
import { clocksHeldDown, computeModeChanged, eccErrors, powerCapped } from './gpu-state-rules.ts';
import type { TrialFigures } from './trial-summary.ts';
import { xidErrors } from './xid-rules.ts';

export const validitySchema = z.object({
  state: z.enum(['VALID', 'INVALID']),
  /** Why it is INVALID; empty if VALID. */
  reasons: z.array(reasonSchema).readonly(),
  /** What a reader must know of a trial that is used all the same. */
  warnings: z.array(reasonSchema).readonly(),
});
export type Validity = z.infer<typeof validitySchema>;

/** Share of the batch size asked for below which a trial is marked: it is a different treatment from its label. */
export const filledBatchRatio = 0.95;

/** Codes that a trial carries without being void: its treatment differs from its label, but it was measured. */
const warningCodes: ReadonlySet<Reason['code']> = new Set([
  'batch-not-filled',
  'never-steady',
  'power-capped',
  'ecc-corrected',
  'replies-vary',
  'headroom-unknown',
  'attachment-stated',
]);

type Rule = (record: TrialRecord, figures: TrialFigures, plan: StudyPlan) => Reason | null;

const rules: readonly Rule[] = [
  notFinished,
  attachmentNotProved,
  noThroughput,
  errorsInMeasurement,
  littlesLawBroken,
  generatorLate,
  generatorLimited,
  headroomUnknown,
  onOtherCpus,
  samplesDropped,
  foreignProcess,
  memoryNotReleased,
  batchNotFilled,
  neverSteady,
  clocksHeldDown,
  powerCapped,
  eccErrors,
  xidErrors,
  computeModeChanged,
];

/** Reasons of the record first, then those of the rules that name another code, then what other trials say of it. */
export function judgeTrial(
  record: TrialRecord,
  figures: TrialFigures,
  plan: StudyPlan,
  besides: readonly Reason[] = [],
): Validity {
  const found = new Map<Reason['code'], Reason>(record.reasons.map((reason) => [reason.code, reason]));
  for (const rule of rules) {
    const reason = rule(record, figures, plan);
    if (reason && !found.has(reason.code)) found.set(reason.code, reason);
  }
  for (const reason of besides) if (!found.has(reason.code)) found.set(reason.code, reason);
  const all = [...found.values()];
  const reasons = all.filter((reason) => !warningCodes.has(reason.code));
  return {
    state: reasons.length === 0 ? 'VALID' : 'INVALID',
    reasons,
    warnings: all.filter((reason) => warningCodes.has(reason.code)),
  };
}

function notFinished(record: TrialRecord): Reason | null {
  if (record.status === 'completed' && record.load !== null) return null;
  if (record.reasons.length > 0) return null;
  return {
    code: 'load-failed',
    message: 'no measurement came of the trial and its record gives no reason',
    advice: 'run the study again with --resume',
  };
}

function attachmentNotProved(record: TrialRecord): Reason | null {
  if (record.status === 'failed') return null;
  const proof = record.attachment;
  if (proof?.stated) return asStated(record);
  const off = record.cell.arm === 'off';
  const withoutGpu = proof === null ? record.gpu === null : proof.expected === 'no-gpu';
  if (off && withoutGpu) return null;
  if (proof?.proved && proof.expected === (off ? 'detached' : 'attached')) return null;
  return {
    code: 'attachment-not-proved',
    message: `it was not proved for every worker that it ran ${off ? 'without' : 'under'} MPS`,
    advice: 'run doctor; without proof the figures may belong to the other arm',
  };
}

function asStated({ cell }: TrialRecord): Reason {
  return {
    code: 'attachment-stated',
    message: `that the server ran ${cell.arm === 'off' ? 'without MPS' : `under ${cell.arm}`} is as stated by the user, not proved`,
    advice: 'name the PIDs of its workers, and the pipe directory of their daemon, so that it can be proved',
  };
}

function noThroughput(record: TrialRecord, figures: TrialFigures): Reason | null {
  if (record.load === null || ((figures.requests ?? 0) > 0 && (figures.throughputPerSecond ?? 0) > 0)) return null;
  return {
    code: 'no-throughput',
    message: 'no request of the measurement was answered as expected',
    advice: 'see the errors by kind, and the log of the server',
  };
}

function errorsInMeasurement(record: TrialRecord, figures: TrialFigures): Reason | null {
  const { errors, requests } = figures;
  if (errors === null || errors === 0) return null;
  return {
    code: 'errors-in-measurement',
    message: `${errors} of ${errors + (requests ?? 0)} requests failed in the measurement${refusalText(record)}`,
    advice: errorAdvice(record),
  };
}

/** The statuses that were counted as failed: all but 2xx, since a study expects no other. */
function refusalText({ load }: TrialRecord): string {
  const statuses = Object.entries(load?.measurement.statuses ?? {}).filter(([status]) => !/^2\d\d$/.test(status));
  const texts = statuses.map(([status, replies]) => `status ${status}: ${replies}`);
  return texts.length === 0 ? '' : ` (${texts.join(', ')})`;
}

function errorAdvice({ server, load }: TrialRecord): string {
  const statuses = load?.measurement.statuses ?? {};
  if (server?.kind === 'torchserve' && (statuses['507'] ?? 0) > 0) {
    return 'plan fewer workers or a smaller batch: TorchServe answers 507 for an error of CUDA, most often a full device';
  }
  if (server?.kind === 'torchserve' && (statuses['503'] ?? 0) > 0) {
    return 'raise server.queueSize (job_queue_size of TorchServe) above the concurrency: it answers 503 to what finds the queue full';
  }
  if (server?.kind === 'embedded' && (statuses['503'] ?? 0) > 0) {
    return 'raise server.queueLimit above the concurrency: the embedded server answers 503 to what finds the queue full';
  }
  return 'lower the concurrency or raise the queue limit: a server that refuses work answers faster';
}

function littlesLawBroken(record: TrialRecord): Reason | null {
  const ratio = record.load?.generator.littlesLawRatio;
  if (record.load?.loop.kind !== 'closed' || ratio === null || ratio === undefined) return null;
  if (ratio >= 1 - littlesLawTolerance && ratio <= 1 + littlesLawTolerance) return null;
  const share = (ratio * 100).toFixed(1);
  return {
    code: 'littles-law',
    message: `throughput x response time makes ${share} % of the concurrency asked for (Little's law allows 95 to 105 %)`,
    advice: 'give the generator a free core, or lower the concurrency: the load was not the one that was asked for',
  };
}

function generatorLate(record: TrialRecord): Reason | null {
  const lag = record.load?.generator.eventLoopLagP99Ns;
  const p50 = record.load?.measurement.responseTime.p50Ns;
  if (lag === null || lag === undefined || p50 === null || p50 === undefined) return null;
  if (lag < lagLimitRatio * p50) return null;
  const figures = `${formatDuration(lag as Nanoseconds)} at p99 against ${formatDuration(p50 as Nanoseconds)} response time`;
  return {
    code: 'generator-lag',
    message: `the generator itself was late: ${figures} at p50`,
    advice: 'give the generator a free core: fewer workers than cores, and nothing else on the host',
  };
}

function generatorLimited({ headroom }: TrialRecord): Reason | null {
  if (headroom === null || headroom.ratio === null || headroom.ratio >= leastHeadroomRatio) return null;
  const ceiling = formatRate(headroom.calibration?.ceilingPerSecond ?? 0);
  return {
    code: 'generator-limit',
    message: `the generator alone reaches ${ceiling}, ${headroom.ratio.toFixed(1)}x of what was measured; ${leastHeadroomRatio}x is asked for`,
    advice: 'use the native engine, or give the generator CPUs of its own (--client-cpus, --server-cpus)',
  };
}

function headroomUnknown({ headroom }: TrialRecord): Reason | null {
  if (headroom === null || headroom.unavailable === null) return null;
  return {
    code: 'headroom-unknown',
    message: `it is not known what the generator alone reaches: ${headroom.unavailable.message}`,
    advice: 'read the figures as a lower bound of what the server can do',
  };
}

/** Affinity is a wish until the system has been asked. */
function onOtherCpus({ placement }: TrialRecord): Reason | null {
  const client = placement?.client ?? null;
  const server = placement?.server ?? null;
  const strayed = [
    ...(client === null || keptTo(client.asked, client.threads) ? [] : [strayText('the generator', client)]),
    ...(server?.processes ?? [])
      .filter(({ threads }) => !keptTo(server?.asked ?? '', threads))
      .map(({ pid, threads }) => strayText(`PID ${pid} of the server`, { asked: server?.asked ?? '', threads })),
  ];
  if (strayed.length === 0) return null;
  return {
    code: 'wrong-cpus',
    message: strayed.join(', '),
    advice: 'see what sets the CPUs of these processes: a server may do so itself, a container may allow fewer',
  };
}

function strayText(who: string, { asked, threads }: ClientPlacement): string {
  const seen = threads === null ? 'nothing could be read' : `the system says ${threads.join(' and ')}`;
  return `${who} was to be kept to CPU ${asked}, and ${seen}`;
}

function samplesDropped(record: TrialRecord): Reason | null {
  const dropped = record.gpu?.sampling?.droppedRows ?? 0;
  if (dropped === 0) return null;
  return {
    code: 'samples-dropped',
    message: `${dropped} GPU readings found no room in the buffer`,
    advice: 'lengthen the sampling period',
  };
}

function foreignProcess(_record: TrialRecord, figures: TrialFigures, plan: StudyPlan): Reason | null {
  const bytes = Math.max(figures.readyMemory?.foreignBytes ?? 0, figures.loadedMemory?.foreignBytes ?? 0);
  if (bytes <= plan.gpu.foreignMemoryLimit) return null;
  return {
    code: 'foreign-process',
    message: `processes that are not the study's held ${formatBytes(bytes)} of the device`,
    advice: 'stop them, or raise gpu.foreignMemoryLimit if they are idle',
  };
}

function memoryNotReleased(_record: TrialRecord, figures: TrialFigures, plan: StudyPlan): Reason | null {
  const bytes = figures.unreleasedBytes;
  if (bytes === null || bytes <= plan.gpu.foreignMemoryLimit) return null;
  return {
    code: 'memory-not-released',
    message: `${formatBytes(bytes)} of device memory were still held after server and daemon had gone`,
    advice: 'look for processes left over with probe',
  };
}

/** A batch that is sent off half empty costs nearly as much as a full one, so throughput is that of another setting. */
function batchNotFilled(record: TrialRecord, figures: TrialFigures): Reason | null {
  const held = figures.meanRealisedBatchSize;
  const { batchSize } = record.cell;
  if (held === null || held >= filledBatchRatio * batchSize) return null;
  return {
    code: 'batch-not-filled',
    message: `batches held ${held.toFixed(1)} of ${batchSize} requests on average`,
    advice: 'raise the concurrency or maxBatchDelay, and read the figures as those of the smaller batch',
  };
}

/** Marked, not void: a fixed warm-up of the same length would have been taken as it is, and arms may differ in this. */
function neverSteady({ load }: TrialRecord): Reason | null {
  if (load?.steadiness?.outcome !== 'never-steady') return null;
  return {
    code: 'never-steady',
    message: `throughput and p50 were not steady within ${formatDuration(load.steadiness.maxNs as Nanoseconds)} of warm-up`,
    advice: 'look at its timeline; allow a longer warm-up (load.warmup: auto:min..max) or find what drifts',
  };
}
