/** Parts of a study without processes: each logs its events and fails where it is told to. */
import type { Clock } from '../../lib/core/clock.ts';
import type { CpuTimes } from '../../lib/core/cpu-time.ts';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { interrupted, MpsbenchError } from '../../lib/core/errors.ts';
import { ns } from '../../lib/core/units.ts';
import type { LoadEngine } from '../../lib/load/engine.ts';
import type { RunningMpsDaemon } from '../../lib/mps/contract.ts';
import type { ForeignClients } from '../../lib/mps/foreign-clients.ts';
import type { DeviceReading, GpuSnapshot } from '../../lib/records/gpu.ts';
import type { CalibrationSubject } from '../../lib/records/headroom.ts';
import type { LoadSpec } from '../../lib/records/load.ts';
import type { RunningServer, ServerStart } from '../../lib/server/adapter.ts';
import type { StudyGpu, StudyParts } from '../../lib/study/parts.ts';
import { loadResult } from './fake-load-result.ts';

export const fakeUuid = 'GPU-5afed850-f18f-04df-cd01-003e98376e18';
const mebibyte = 1024 * 1024;

/** Steps at which a fault may be injected. */
export type Step =
  | 'daemon start'
  | 'start mps server'
  | 'server start'
  | 'server switch'
  | 'clients'
  | 'load'
  | 'server stop'
  | 'daemon stop'
  | 'workers after load';

export interface FakeHost {
  readonly events: string[];
  readonly parts: StudyParts;
  /** Servers and daemons that were started and not stopped. */
  readonly alive: Set<string>;
  readonly loads: LoadSpec[];
  readonly starts: ServerStart[];
  readonly calibrations: CalibrationSubject[];
}

export interface FakeOptions {
  readonly gpu?: boolean;
  /** Throws at that step of the nth trial (from 1). */
  readonly fail?: { readonly step: Step; readonly trial: number; readonly error?: Error };
  /** Aborts at that step of the nth trial. */
  readonly abort?: { readonly step: Step; readonly trial: number; readonly controller: AbortController };
  /** Workers that fall back in silence: they are not in any MPS list. */
  readonly silentFallback?: boolean;
  readonly foreignBytes?: number;
  /** Xid errors that are reported during the nth trial; once its server is gone there is one more, 45. */
  readonly xids?: { readonly trial: number; readonly during: readonly number[] };
  /** What the generator reaches against the null server; each fake load is 100 requests per second. */
  readonly ceilingPerSecond?: number;
  readonly calibrationError?: Error;
  /** Left out = a system that tells nothing. */
  readonly cpuTimes?: CpuTimes;
  readonly clientCpus?: string;
  readonly serverCpus?: string;
  /** What the system says of every thread. */
  readonly cpusSeen?: string;
  /** Servers that can be switched to another cell. */
  readonly keeps?: boolean;
  /** The server ran before: no daemon is ours. `lists`: PIDs that the driver names, and those that it calls MPS clients. */
  readonly attached?: {
    readonly pipeDirectory: string | null;
    readonly mps: ForeignClients | null;
    readonly pids: readonly number[];
    readonly listed: readonly number[];
    readonly listedAsMps: readonly number[];
  };
}

/** Advances by what is slept and one millisecond per reading: no test waits. */
export function steppedClock(): Clock {
  let nowNs = 1_000_000_000_000n;
  return {
    origin: () => ({ originNs: nowNs, originAt: '2026-01-01T00:00:00.000Z' }),
    offsetNs: (origin) => {
      nowNs += 1_000_000n;
      return ns(Number(nowNs - origin.originNs));
    },
    sleep: async (spanNs, signal) => {
      if (signal?.aborted) throw interrupted('a wait');
      nowNs += BigInt(spanNs);
    },
  };
}

export function fakeHost(options: FakeOptions = {}): FakeHost {
  const events: string[] = [];
  const alive = new Set<string>();
  const loads: LoadSpec[] = [];
  const starts: ServerStart[] = [];
  const calibrations: CalibrationSubject[] = [];
  let trial = 0;
  let workerPids: number[] = [];
  let mps = false;

  const at = (step: Step): void => {
    events.push(step);
    if (options.abort?.step === step && options.abort.trial === trial) {
      options.abort.controller.abort();
      throw interrupted(step);
    }
    if (options.fail?.step === step && options.fail.trial === trial) {
      throw options.fail.error ?? new MpsbenchError('SERVER_START_FAILED', `injected at ${step}`);
    }
  };
  const attached = (): number[] => (mps && !options.silentFallback ? workerPids : []);

  const session: StudyGpu = {
    snapshot: () => {
      if (alive.size === 0) events.push('snapshot idle');
      const { listed = workerPids, listedAsMps = attached() } = options.attached ?? {};
      return snapshot(listed, listedAsMps, mps, options.foreignBytes ?? 0);
    },
    beginActivity: () => {},
    endActivity: () => ({ smActivityPercent: 75, unavailable: {} }),
    beginXidWatch: () => {},
    endXidWatch: () => {
      const during = options.xids?.trial === trial ? options.xids.during : [];
      return { xids: alive.size === 0 ? [...during, 45] : during, unavailable: {} };
    },
    sample: () => {
      events.push('sampling on');
      return {
        stop: () => {
          events.push('sampling off');
          return {
            series: emptySeries(),
            summary: { periodNs: 1, ticks: 3, lateTicks: 0, missedTicks: 0, droppedRows: 0, maxReadNs: 1 },
          };
        },
      };
    },
  };

  const startMpsDaemon = async (): Promise<RunningMpsDaemon> => {
    trial += 1;
    at('daemon start');
    alive.add('daemon');
    mps = true;
    return {
      pid: 400,
      pipeDirectory: '/nowhere/pipe',
      logDirectory: '/nowhere/log',
      clientEnvironment: { CUDA_MPS_PIPE_DIRECTORY: '/nowhere/pipe' },
      startServer: async () => {
        at('start mps server');
        return 455;
      },
      serverPids: async () => [455],
      serverStatus: async () => 'ACTIVE',
      clients: async () => {
        at('clients');
        return attached().map((pid) => ({ pid, serverPid: 455 }));
      },
      defaultActiveThreadPercentage: async () => 100,
      activeThreadPercentage: async () => 100,
      setActiveThreadPercentage: async () => undefined,
      death: () => null,
      [Symbol.asyncDispose]: async () => {
        alive.delete('daemon');
        mps = false;
        at('daemon stop');
      },
    };
  };

  const start = async (asked: ServerStart): Promise<RunningServer> => {
    if (!mps) trial += 1;
    starts.push(asked);
    at('server start');
    alive.add('server');
    workerPids = [...(options.attached?.pids ?? Array.from({ length: asked.workers }, (_, index) => 1000 + index))];
    let loaded = loads.length;
    return {
      description: 'fake server',
      request: { url: 'http://127.0.0.1:1/predictions/fake', method: 'POST', headers: {} },
      sampleBodies: [new Uint8Array([1])],
      readyNs: ns(5),
      otherPids: options.attached ? [] : [999],
      mpsPipeDirectory: options.attached?.pipeDirectory ?? null,
      workers: async () => {
        if (loads.length > loaded) at('workers after load');
        loaded = loads.length;
        const share = asked.environment.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE;
        return workerPids.map((pid) => ({
          pid,
          mpsEnabled: options.gpu === false || options.attached ? null : attached().includes(pid),
          multiprocessorCount: share ? 66 : 132,
        }));
      },
      counters: async () => ({ batches: 10 * loads.length, requests: 40 * loads.length }),
      reconfigure: options.keeps
        ? async (change) => {
            trial += 1;
            at('server switch');
            workerPids = Array.from({ length: change.workers }, (_, index) => 2000 + index);
          }
        : null,
      [Symbol.asyncDispose]: async () => {
        alive.delete('server');
        workerPids = [];
        at('server stop');
      },
    };
  };

  const engine: LoadEngine = {
    name: 'undici',
    run: async (spec, hooks) => {
      loads.push(spec);
      if (options.clientCpus && options.cpusSeen !== undefined) hooks.onClientCpus?.([options.cpusSeen]);
      hooks.onMeasurementStart?.(1);
      await hooks.onMeasurementEnd?.();
      at('load');
      return loadResult(spec, hooks.origin);
    },
  };

  const parts: StudyParts = {
    clock: steppedClock(),
    gpu: options.gpu === false ? null : { session, device: { index: 0, uuid: fakeUuid } },
    startMpsDaemon,
    foreignClients: async (pipeDirectory) => {
      events.push(`foreign clients of ${pipeDirectory}`);
      return options.attached?.mps ?? null;
    },
    armEnvironment: (arm, daemon) => ({
      set: {
        CUDA_MPS_PIPE_DIRECTORY: daemon ? daemon.pipeDirectory : '/nowhere/absent',
        ...(arm.kind === 'mps' && arm.activeThreadPercentage !== null
          ? { CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: String(arm.activeThreadPercentage) }
          : {}),
      },
      unset: [],
    }),
    adapter: { kind: 'fake', start, ...(options.attached ? { attached: true } : {}) },
    engine,
    cpus: {
      client: options.clientCpus ? { asked: options.clientCpus, cpus: [0] } : null,
      server: options.serverCpus ? { asked: options.serverCpus, cpus: [1] } : null,
      onServerCpus: async (work) => {
        if (options.serverCpus) events.push('on server CPUs');
        return await work();
      },
      cpusOfThreads: () => (options.cpusSeen === undefined ? null : [options.cpusSeen]),
    },
    cpuTimes: options.cpuTimes ?? { ofProcess: () => null, ofThreads: () => null, ofCpus: () => null, ofSelf: () => 0 },
    calibrate: () => async (_spec, subject) => {
      calibrations.push(subject);
      if (options.calibrationError) throw options.calibrationError;
      const recordedAt = '2026-01-01T00:00:00.000Z';
      const ceilingPerSecond = options.ceilingPerSecond ?? 10_000;
      return { recordedAt, subject, durationNs: 1e9, ceilingPerSecond, cpuPerRequestNs: null };
    },
    emergency: emergencyStops(),
    journal: null,
  };
  return { events, parts, alive, loads, starts, calibrations };
}

function snapshot(
  workers: readonly number[],
  attached: readonly number[],
  mps: boolean,
  foreignBytes: number,
): GpuSnapshot {
  const perWorker = 518 * mebibyte;
  const processes: DeviceReading['processes'] = workers.map((pid) => ({
    pid,
    name: 'node',
    usedBytes: perWorker,
    lists: attached.includes(pid) ? ['compute', 'mps'] : ['compute'],
    gpuInstanceId: null,
    computeInstanceId: null,
  }));
  if (mps)
    processes.push({
      pid: 455,
      name: 'nvidia-cuda-mps-server',
      usedBytes: 66 * mebibyte,
      lists: ['compute'],
      gpuInstanceId: null,
      computeInstanceId: null,
    });
  if (foreignBytes > 0)
    processes.push({
      pid: 77,
      name: 'other',
      usedBytes: foreignBytes,
      lists: ['compute'],
      gpuInstanceId: null,
      computeInstanceId: null,
    });
  const usedBytes = processes.reduce((sum, entry) => sum + (entry.usedBytes ?? 0), 0);
  const totalBytes = 81_559 * mebibyte;
  const device: DeviceReading = {
    index: 0,
    uuid: fakeUuid,
    name: 'Fake H100',
    pciBusId: null,
    architecture: 'hopper',
    computeCapability: '9.0',
    powerLimitMilliwatts: 700_000,
    maxSmClockMhz: 1980,
    maxMemoryClockMhz: 2619,
    virtualization: 'none',
    computeMode: 'default',
    migEnabled: false,
    migInstances: [],
    memory: {
      totalBytes,
      usedBytes,
      freeBytes: totalBytes - usedBytes,
      reservedBytes: 480 * mebibyte,
      source: 'nvmlDeviceGetMemoryInfo_v2',
    },
    gpuUtilizationPercent: 0,
    memoryUtilizationPercent: 0,
    smClockMhz: 1980,
    memoryClockMhz: 2619,
    graphicsClockMhz: 1980,
    throttleReasons: [],
    powerMilliwatts: 70_000,
    energyMillijoules: 1,
    temperatureCelsius: 30,
    processes,
    unavailable: {},
  };
  return {
    offsetNs: 0,
    driverVersion: '580.0',
    nvmlVersion: '13',
    cudaDriverVersion: '13.0',
    nvmlPath: 'fake',
    devices: [device],
    unavailable: {},
  };
}

function emptySeries() {
  const none = new Float64Array(0);
  return {
    offsetNs: none,
    devices: [],
    processes: { tick: new Uint32Array(0), device: new Uint32Array(0), pid: new Uint32Array(0), usedBytes: none },
  };
}
