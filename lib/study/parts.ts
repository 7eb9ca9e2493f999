/** What a study needs from the layers below, so that whole studies run on fakes in tests. */
import type { Clock, Origin } from '../core/clock.ts';
import type { CpuTimes } from '../core/cpu-time.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import type { Journal } from '../core/journal.ts';
import type { Nanoseconds } from '../core/units.ts';
import type { LoadEngine } from '../load/engine.ts';
import type { Calibrate } from '../load/headroom.ts';
import type { MpsDaemonOptions, RunningMpsDaemon } from '../mps/contract.ts';
import type { ForeignClients } from '../mps/foreign-clients.ts';
import type { Arm } from '../records/arm.ts';
import type { GpuSeries, GpuSnapshot, SamplingSummary, SmActivity } from '../records/gpu.ts';
import type { XidErrors } from '../records/xid-errors.ts';
import type { ServerAdapter } from '../server/adapter.ts';
import type { CpuPlacement } from './cpu-placement.ts';

export interface StudySampling {
  stop(): { readonly series: GpuSeries; readonly summary: SamplingSummary };
}

/** The part of a GPU session that a study uses. */
export interface StudyGpu {
  snapshot(options: { readonly origin: Origin; readonly withEnergy: boolean }): GpuSnapshot;
  sample(options: {
    readonly periodNs: Nanoseconds;
    readonly origin: Origin;
    readonly devices: readonly number[];
    readonly maxDurationNs: Nanoseconds;
  }): StudySampling;
  beginActivity(device: number): void;
  endActivity(): SmActivity;
  beginXidWatch(device: number): void;
  endXidWatch(): XidErrors;
}

/** The device under study. */
export interface StudyDevice {
  readonly index: number;
  readonly uuid: string;
}

/** Variables that an arm sets, and inherited ones that must not reach the workers. */
export interface ArmEnvironment {
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
}

export interface StudyParts {
  readonly clock: Clock;
  readonly gpu: { readonly session: StudyGpu; readonly device: StudyDevice } | null;
  readonly startMpsDaemon: (
    options: Pick<MpsDaemonOptions, 'deviceUuid' | 'signal' | 'emergency'>,
  ) => Promise<RunningMpsDaemon>;
  /** Clients of a daemon that is not ours; null where it gives no answer. */
  readonly foreignClients: (pipeDirectory: string, signal: AbortSignal) => Promise<ForeignClients | null>;
  readonly armEnvironment: (arm: Arm, daemon: RunningMpsDaemon | null) => ArmEnvironment;
  readonly adapter: ServerAdapter;
  /** Where its servers take the load's requests; left out = on the loopback. */
  readonly serverHost?: string;
  readonly engine: Pick<LoadEngine, 'run'>;
  readonly cpus: CpuPlacement;
  /** Read at both ends of a measurement. */
  readonly cpuTimes: CpuTimes;
  readonly calibrate: (signal: AbortSignal) => Calibrate;
  readonly emergency: EmergencyStops;
  /** Null on a system without /proc. */
  readonly journal: Journal | null;
}
