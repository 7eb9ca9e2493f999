/** What front end, workers, generator, host and device used during a measurement, from two readings at its ends. */
import type { Origin } from '../core/clock.ts';
import { allowedCpus } from '../core/cpu-affinity.ts';
import { formatCpuList, parseCpuList } from '../core/cpu-list.ts';
import type { CpuTime, ProcessCpuTime } from '../core/cpu-time.ts';
import type { GpuSeries, SmActivity } from '../records/gpu.ts';
import type { PhaseSummary } from '../records/load.ts';
import type { ResourceUse } from '../records/resource-use.ts';
import type { ServerFacts } from '../records/trial.ts';
import { cpuQuotaCores } from './environment.ts';
import type { StudyParts } from './parts.ts';

type CpuUse = Omit<ResourceUse, 'gpu'>;
type Watched = Pick<ServerFacts, 'otherPids' | 'workerPids'>;

/** For one measurement. Each reading takes a file of /proc for each process, and for each thread of the front end. */
export interface UseMeter {
  readonly start: () => void;
  readonly end: () => void;
  /** null unless both readings were made. */
  readonly use: () => CpuUse | null;
}

interface Reading {
  readonly offsetNs: number;
  readonly processes: ReadonlyMap<number, ProcessCpuTime | null>;
  readonly frontEndThreads: ReadonlyMap<number, ReadonlyMap<number, number> | null>;
  readonly cpus: ReadonlyMap<number, CpuTime> | null;
  readonly selfNs: number;
}

/** Made before the load: what the processes may use is read here. */
export function useMeter(
  { clock, cpuTimes, cpus }: Pick<StudyParts, 'clock' | 'cpuTimes' | 'cpus'>,
  origin: Origin,
  watched: Watched,
): UseMeter {
  const quotaCores = cpuQuotaCores('/');
  const hostCpus = cpus.server?.cpus ?? allowedCpus();
  const limits: Limits = { quotaCores, hostCpus, frontEndCores: allowedCores(watched, cpus, quotaCores) };
  const pids = [...watched.otherPids, ...watched.workerPids];
  let first: Reading | null = null;
  let last: Reading | null = null;
  const read = (): Reading => ({
    offsetNs: clock.offsetNs(origin),
    selfNs: cpuTimes.ofSelf(),
    processes: new Map(pids.map((pid) => [pid, cpuTimes.ofProcess(pid)])),
    frontEndThreads: new Map(watched.otherPids.map((pid) => [pid, cpuTimes.ofThreads(pid)])),
    cpus: cpuTimes.ofCpus(),
  });
  return {
    start: () => {
      first = read();
    },
    end: () => {
      last = read();
    },
    use: () => (first && last && last.offsetNs > first.offsetNs ? useBetween(first, last, watched, limits) : null),
  };
}

interface Limits {
  readonly quotaCores: number | null;
  readonly hostCpus: readonly number[] | null;
  readonly frontEndCores: number | null;
}

function useBetween(first: Reading, last: Reading, watched: Watched, limits: Limits): CpuUse {
  const windowNs = last.offsetNs - first.offsetNs;
  const unavailable: Record<string, string> = {};
  const coresOf = (name: string, pids: readonly number[]): number | null => {
    const spans = pids.map((pid) => usedBetween(first.processes.get(pid), last.processes.get(pid)));
    const lost = pids.filter((_, index) => spans[index] === null);
    if (lost.length === 0) return spans.reduce<number>((sum, span) => sum + (span ?? 0), 0) / windowNs;
    unavailable[name] = `no CPU time of PID ${lost.join(', ')}: it ended, or the system does not tell it`;
    return null;
  };
  const { otherPids, workerPids } = watched;
  if (otherPids.length === 0) unavailable.frontEnd = 'no process of the server is known beside its workers';
  if (workerPids.length === 0) unavailable.workers = 'no process of a worker is known';
  const busyRatio = busyBetween(first.cpus, last.cpus, limits.hostCpus);
  if (busyRatio === null)
    unavailable['host.busyRatio'] = 'the system does not tell the time of the CPUs that may be used';
  return {
    windowNs,
    frontEnd:
      otherPids.length === 0
        ? null
        : {
            processes: otherPids.length,
            cores: coresOf('frontEnd.cores', otherPids),
            busiestThreadCores: busiestThread(first, last, windowNs, unavailable),
            allowedCores: limits.frontEndCores,
          },
    workers:
      workerPids.length === 0 ? null : { processes: workerPids.length, cores: coresOf('workers.cores', workerPids) },
    generatorCores: Math.max(0, last.selfNs - first.selfNs) / windowNs,
    host: {
      cpus: limits.hostCpus && formatCpuList(limits.hostCpus),
      busyRatio,
      quotaCores: limits.quotaCores,
    },
    unavailable,
  };
}

/** Null unless it is the same process at both ends. */
function usedBetween(first: ProcessCpuTime | null = null, last: ProcessCpuTime | null = null): number | null {
  if (first === null || last === null || first.startTicks !== last.startTicks) return null;
  return Math.max(0, last.usedNs - first.usedNs);
}

/** Threads that were there at both ends. */
function busiestThread(
  first: Reading,
  last: Reading,
  windowNs: number,
  unavailable: Record<string, string>,
): number | null {
  const spans = [...last.frontEndThreads].flatMap(([pid, threads]) => {
    const before = first.frontEndThreads.get(pid);
    return [...(threads ?? [])].flatMap(([thread, usedNs]) => {
      const earlier = before?.get(thread);
      return earlier === undefined ? [] : [usedNs - earlier];
    });
  });
  if (spans.length > 0) return Math.max(0, ...spans) / windowNs;
  unavailable['frontEnd.busiestThreadCores'] = 'the system does not tell the CPU time of its threads';
  return null;
}

function busyBetween(first: Reading['cpus'], last: Reading['cpus'], cpus: readonly number[] | null): number | null {
  let busyNs = 0;
  let totalNs = 0;
  for (const cpu of cpus ?? []) {
    const [before, after] = [first?.get(cpu), last?.get(cpu)];
    if (!before || !after) return null;
    busyNs += after.busyNs - before.busyNs;
    totalNs += after.totalNs - before.totalNs;
  }
  return totalNs > 0 ? Math.min(1, Math.max(0, busyNs / totalNs)) : null;
}

/** CPUs that any process of the front end may use; null where the system does not say. */
function allowedCores(
  { otherPids }: Watched,
  { cpusOfThreads }: StudyParts['cpus'],
  quotaCores: number | null,
): number | null {
  const allowed = new Set(otherPids.flatMap((pid) => cpusOfThreads(pid) ?? []).flatMap(parseCpuList));
  return allowed.size === 0 ? null : Math.min(allowed.size, quotaCores ?? Number.POSITIVE_INFINITY);
}

/** What was read of the device around a measurement. */
export interface DeviceRead {
  readonly series: GpuSeries | null;
  readonly activity: SmActivity | null;
}

/** With the samples of the device that were taken inside the measurement, and the activity of its SMs. */
export function withDeviceUse(
  use: CpuUse | null,
  read: DeviceRead | null,
  window: Pick<PhaseSummary, 'startOffsetNs' | 'durationNs'>,
): ResourceUse | null {
  if (use === null) return null;
  if (read === null || (read.series === null && read.activity === null)) return { ...use, gpu: null };
  const unavailable: Record<string, string> = {};
  const values = utilizationWithin(read.series, window);
  const samples = values.length;
  if (samples === 0) unavailable['gpu.utilizationPercent'] = 'no sample inside the measurement gave a value';
  const smActivityPercent = read.activity?.smActivityPercent ?? null;
  if (smActivityPercent === null) {
    const why = read.activity?.unavailable.smActivityPercent;
    unavailable['gpu.smActivityPercent'] = why ? `${why.source}: ${why.reason}` : 'it was not read';
  }
  const utilizationPercent = samples === 0 ? null : values.reduce((sum, value) => sum + value, 0) / samples;
  return {
    ...use,
    gpu: { samples, utilizationPercent, smActivityPercent },
    unavailable: { ...use.unavailable, ...unavailable },
  };
}

function utilizationWithin(
  series: GpuSeries | null,
  { startOffsetNs, durationNs }: Pick<PhaseSummary, 'startOffsetNs' | 'durationNs'>,
): readonly number[] {
  const percent = [...(series?.devices[0]?.gpuUtilizationPercent ?? [])];
  return percent.filter((value, tick) => {
    const offsetNs = series?.offsetNs[tick] ?? Number.NaN;
    return !Number.isNaN(value) && offsetNs >= startOffsetNs && offsetNs <= startOffsetNs + durationNs;
  });
}
