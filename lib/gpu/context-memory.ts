/** What a bare CUDA context takes on a device: one is made in a child and NVML is read while it is held. */
import { milliseconds } from '../core/units.ts';
import type { ContextProbe, DeviceReading, GpuSnapshot } from '../records/gpu.ts';
import { type ContextProbeOptions, probeContext } from './context-probe.ts';
import type { GpuSession } from './session.ts';

export interface ContextMeasurement {
  readonly probe: ContextProbe;
  /** The driver's figure for the child's process; null where it does not name the process (a PID namespace). */
  readonly processBytes: number | null;
  /** Rise of the device's used memory, which also holds what is charged to no process; null where it can't be read. */
  readonly deviceBytes: number | null;
}

/** Long enough for one reading of NVML, which blocks for a few milliseconds. */
const hold = milliseconds(50);

/**
 * Probes a context on `deviceUuid` and reads its memory through `session`. Both figures are null when the context
 * could not be made. The device figure is only right while nobody else allocates. Throws what probeContext throws.
 */
export async function measureContext(
  session: Pick<GpuSession, 'snapshot'>,
  deviceUuid: string,
  options: Omit<ContextProbeOptions, 'deviceUuid' | 'holdNs' | 'onHeld'>,
): Promise<ContextMeasurement> {
  const before = deviceOf(session.snapshot(), deviceUuid);
  let held: DeviceReading | undefined;
  const onHeld = (): void => {
    held = deviceOf(session.snapshot(), deviceUuid);
  };
  const probe = await probeContext({ ...options, deviceUuid, holdNs: hold, onHeld });
  const usedBefore = before?.memory.usedBytes ?? null;
  const usedHeld = held?.memory.usedBytes ?? null;
  const sameSource = held?.memory.source === before?.memory.source;
  return {
    probe,
    processBytes: held?.processes?.find(({ pid }) => pid === probe.pid)?.usedBytes ?? null,
    deviceBytes: usedBefore !== null && usedHeld !== null && sameSource ? usedHeld - usedBefore : null,
  };
}

function deviceOf(snapshot: GpuSnapshot, uuid: string): DeviceReading | undefined {
  return snapshot.devices.find((device) => device.uuid === uuid);
}
