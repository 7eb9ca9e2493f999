/** What a trial reads of the GPU: the idle check before it, snapshots at its moments, samples through it. */
import { type Origin, poll } from '../core/clock.ts';
import { formatBytes, type Nanoseconds, seconds } from '../core/units.ts';
import type { DeviceReading, GpuSeries, GpuSnapshot, SamplingSummary, SmActivity } from '../records/gpu.ts';
import { processRole } from '../records/process-role.ts';
import type { Reason, TrialRecord } from '../records/trial.ts';
import type { XidErrors } from '../records/xid-errors.ts';
import { type MeasuredWindow, measuredClocks } from './measured-clocks.ts';
import type { StudyDevice, StudyGpu, StudySampling } from './parts.ts';

/** Memory above the baseline that a stopped arm may leave: allocators of the driver round up. */
export const releasedToleranceBytes = 16 * 1024 * 1024;

type Moments = NonNullable<TrialRecord['gpu']>;

export interface TrialGpu {
  /** Reads the baseline; the reason is there when somebody else uses the device. */
  takeBaseline(foreignLimitBytes: number): Reason | null;
  /** A server that was started by an earlier trial: the ledger counts from the baseline of that one. */
  keepBaseline(baseline: GpuSnapshot): void;
  /** null before it was read. */
  readonly baseline: GpuSnapshot | null;
  take(moment: 'ready' | 'loaded'): GpuSnapshot;
  startSampling(periodNs: Nanoseconds, maxDurationNs: Nanoseconds): void;
  stopSampling(): void;
  /** At the start and the end of the measurement; in between nothing is read. */
  beginActivity(): void;
  endActivity(): void;
  watchXids(): void;
  /** Idempotent; before the server is stopped, since what is killed may leave an Xid that says nothing of the load. */
  stopWatchingXids(): void;
  /** Waits a few seconds for the memory to come back; the reason is there when it does not. */
  takeAfter(signal: AbortSignal): Promise<Reason | null>;
  /** null before the baseline was read. Without a window, which is that of the measurement, no clocks are told. */
  record(window: MeasuredWindow | null): {
    readonly moments: Moments;
    readonly series: GpuSeries | null;
    /** Null before endActivity(). */
    readonly activity: SmActivity | null;
  } | null;
}

export function trialGpu(session: StudyGpu, device: StudyDevice, origin: Origin): TrialGpu {
  const taken: { baseline?: GpuSnapshot; ready?: GpuSnapshot; loaded?: GpuSnapshot; after?: GpuSnapshot } = {};
  let activity: SmActivity | null = null;
  let watching = false;
  let xidErrors: XidErrors | null = null;
  let sampling: StudySampling | null = null;
  let sampled: { series: GpuSeries; summary: SamplingSummary } | null = null;
  const snapshot = (): GpuSnapshot => session.snapshot({ origin, withEnergy: true });
  const reading = (from: GpuSnapshot | undefined): DeviceReading | undefined =>
    from?.devices.find((candidate) => candidate.uuid === device.uuid);
  const usedBytes = (from: GpuSnapshot | undefined): number | null => reading(from)?.memory.usedBytes ?? null;

  return {
    takeBaseline(foreignLimitBytes) {
      taken.baseline = snapshot();
      return foreignReason(reading(taken.baseline), foreignLimitBytes);
    },
    keepBaseline(baseline) {
      taken.baseline = baseline;
    },
    get baseline() {
      return taken.baseline ?? null;
    },
    take(moment) {
      taken[moment] = snapshot();
      return taken[moment];
    },
    startSampling(periodNs, maxDurationNs) {
      sampling = session.sample({ periodNs, origin, devices: [device.index], maxDurationNs });
    },
    stopSampling() {
      sampled = sampling?.stop() ?? sampled;
      sampling = null;
    },
    beginActivity: () => session.beginActivity(device.index),
    endActivity() {
      activity = session.endActivity();
    },
    watchXids() {
      session.beginXidWatch(device.index);
      watching = true;
    },
    stopWatchingXids() {
      if (!watching) return;
      watching = false;
      xidErrors = session.endXidWatch();
    },
    async takeAfter(signal) {
      const before = usedBytes(taken.baseline);
      const released = await poll(
        () => {
          taken.after = snapshot();
          const now = usedBytes(taken.after);
          return before === null || now === null || now <= before + releasedToleranceBytes ? true : undefined;
        },
        { everyNs: seconds(0.05), forNs: seconds(5), signal },
      );
      return released ? null : leftoverReason(before ?? 0, usedBytes(taken.after) ?? 0);
    },
    record(window) {
      if (!taken.baseline) return null;
      const moments = {
        baseline: taken.baseline,
        ready: taken.ready ?? null,
        loaded: taken.loaded ?? null,
        after: taken.after ?? null,
        sampling: sampled?.summary ?? null,
        clocks: window === null ? null : measuredClocks(sampled?.series ?? null, device.uuid, window),
        xidErrors,
      };
      return { moments, series: sampled?.series ?? null, activity };
    },
  };
}

function foreignReason(reading: DeviceReading | undefined, limitBytes: number): Reason | null {
  const known = { workers: new Set<number>(), mpsServers: new Set<number>() };
  // An MPS server that is there before the trial starts its own is somebody else's.
  const foreign = (reading?.processes ?? []).filter((entry) => entry.usedBytes === null || entry.usedBytes > 0);
  const total = foreign.reduce((sum, entry) => sum + (entry.usedBytes ?? 0), 0);
  const unknown = foreign.some((entry) => entry.usedBytes === null);
  if (total <= limitBytes && !unknown) return null;
  const names = foreign.map(
    (entry) => `PID ${entry.pid} (${entry.name ?? 'name unknown'}, ${processRole(entry, known)})`,
  );
  return {
    code: 'foreign-process',
    message: `${foreign.length} other process(es) hold ${unknown ? 'an unknown amount' : formatBytes(total)} of the device: ${names.join(', ')}`,
    advice: 'stop them, or study another device with gpu.device',
  };
}

function leftoverReason(beforeBytes: number, afterBytes: number): Reason {
  return {
    code: 'memory-not-released',
    message: `device memory is ${formatBytes(afterBytes - beforeBytes)} above the baseline 5 s after everything was stopped`,
    advice: 'look for processes that outlived the server with mpsbench probe',
  };
}
