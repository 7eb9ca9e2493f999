/** From a plan to what runs it on this host: GPU session, MPS control, server adapter, load engine, arms, environment. */
import { systemClock } from '../core/clock.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { addonBuildId, type GpuSession, tryOpenGpu } from '../gpu/session.ts';
import { undiciEngine } from '../load/undici-engine.ts';
import { locateMpsControl, mpsControlVersion } from '../mps/control.ts';
import { startMpsDaemon } from '../mps/daemon.ts';
import { armEnvironment } from '../mps/environment.ts';
import type { Environment } from '../records/environment.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import type { StudyPlan } from '../records/plan.ts';
import { embeddedAdapter } from '../server/embedded.ts';
import { type ArmsOnHost, armsOnHost } from './arms-on-host.ts';
import { recordEnvironment } from './environment.ts';
import type { StudyDevice, StudyParts } from './parts.ts';

/** Where the vendor's parts are; null = by soname, or on PATH. */
export interface VendorPaths {
  readonly nvml: string | null;
  readonly cuda: string | null;
  readonly mpsControl: string | null;
}

export interface StudyHostOptions {
  readonly paths: VendorPaths;
  readonly signal: AbortSignal;
  readonly emergency: EmergencyStops;
  readonly tool: { readonly version: string; readonly commandLine: readonly string[] };
}

/** Everything a study of this plan needs here; disposal closes the GPU session. */
export interface StudyHost extends Disposable {
  readonly parts: StudyParts;
  readonly arms: ArmsOnHost;
  readonly environment: Environment;
}

/** Throws NOT_SUPPORTED_HERE when no arm of the plan can run here, and PLAN_INVALID for a device that is not there. */
export async function prepareStudyHost(plan: StudyPlan, options: StudyHostOptions): Promise<StudyHost> {
  const opened = tryOpenGpu({ nvmlPath: options.paths.nvml });
  const session = 'session' in opened ? opened.session : null;
  try {
    const unavailable = 'session' in opened ? null : opened.unavailable;
    const snapshot = session?.snapshot({ withEnergy: true }) ?? null;
    const device = snapshot ? chooseDevice(snapshot, plan.gpu.device) : null;
    const mpsControl = await describeControl(options);
    const arms = armsOnHost(plan.arms, {
      gpuUnavailable: unavailable?.message ?? (device ? null : 'NVML shows no device'),
      mpsControlUnavailable: mpsControl.unavailable,
      workersUseCuda: plan.server.workload === 'auto' || plan.server.workload === 'cuda',
    });
    requireSomeArm(arms);
    const environment = recordEnvironment({
      tool: { ...options.tool, addonBuildId: addonBuildId() },
      gpu: snapshot,
      gpuUnavailable: unavailable,
      mpsControl,
      variables: process.env,
      root: '/',
    });
    return {
      parts: partsOf(plan, options, session, device),
      arms,
      environment: { ...environment, armsLeftOut: [...arms.leftOut] },
      [Symbol.dispose]: () => session?.close(),
    };
  } catch (thrown) {
    session?.close();
    throw thrown;
  }
}

function partsOf(
  plan: StudyPlan,
  options: StudyHostOptions,
  session: GpuSession | null,
  device: StudyDevice | null,
): StudyParts {
  const { paths, emergency } = options;
  return {
    clock: systemClock,
    gpu: session && device ? { session, device } : null,
    startMpsDaemon: (daemon) =>
      startMpsDaemon({
        ...daemon,
        controlPath: paths.mpsControl,
        readyTimeoutNs: seconds(15),
        commandTimeoutNs: seconds(10),
      }),
    armEnvironment,
    adapter: embeddedAdapter(plan.server, { cudaPath: paths.cuda }),
    engine: undiciEngine(),
    emergency,
  };
}

/** By index or UUID; the first device where the plan names none; null where there is none at all. */
export function chooseDevice(snapshot: GpuSnapshot, wanted: string | null): StudyDevice | null {
  const devices = snapshot.devices.filter((device): device is typeof device & { uuid: string } => device.uuid !== null);
  const found = devices.find((device) => wanted === null || device.uuid === wanted || String(device.index) === wanted);
  if (found) return { index: found.index, uuid: found.uuid };
  if (wanted === null) return null;
  const present = devices.map((device) => `${device.index} (${device.uuid})`).join(', ') || 'none';
  throw new MpsbenchError('PLAN_INVALID', `gpu.device: there is no device '${wanted}'; present: ${present}`);
}

async function describeControl(options: StudyHostOptions): Promise<Environment['mpsControl']> {
  let path: string | null = null;
  try {
    path = locateMpsControl(options.paths.mpsControl);
    const run = {
      path,
      environment: process.env,
      timeoutNs: seconds(5),
      signal: options.signal,
      emergency: options.emergency,
    };
    return { path, version: String(await mpsControlVersion(run)), unavailable: null };
  } catch (thrown) {
    return { path, version: null, unavailable: messageOf(thrown) };
  }
}

function requireSomeArm(arms: ArmsOnHost): void {
  if (arms.arms.length > 0) return;
  const reason = arms.leftOut[0]?.reason ?? 'the plan has none';
  throw new MpsbenchError(
    'NOT_SUPPORTED_HERE',
    `no arm of the plan can run on this host: ${reason}; add the arm off, or run on a host with a GPU`,
  );
}
