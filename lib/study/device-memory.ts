/** Device memory that no visible process accounts for: the sign of tenants who can't be seen from here. */
import type { DeviceReading } from '../records/gpu.ts';

const mebibyte = 1024 ** 2;
/** Room for what the driver itself takes on a device (74 MiB with an MPS server on an H100, driver 580). */
const driverAllowanceBytes = 100 * mebibyte;
/** Device memory that a context takes beside its per-process figure: 6 to 8 MiB on an H100, driver 580. */
const contextAllowanceBytes = 10 * mebibyte;

/**
 * Used memory less what the visible processes hold, in bytes. null where it can't be known: no memory reading, one
 * that counts the driver's reserve as used (v1 of the call), no process list, or a process whose memory is N/A.
 */
export function unexplainedBytes(device: Pick<DeviceReading, 'memory' | 'processes'>): number | null {
  const { usedBytes, source } = device.memory;
  if (usedBytes === null || source !== 'nvmlDeviceGetMemoryInfo_v2' || device.processes === null) return null;
  let visibleBytes = 0;
  for (const reading of device.processes) {
    if (reading.usedBytes === null) return null;
    visibleBytes += reading.usedBytes;
  }
  return usedBytes - visibleBytes;
}

/** The unexplained bytes if they are more than driver and contexts explain, else null. */
export function hiddenTenantBytes(device: Pick<DeviceReading, 'memory' | 'processes'>): number | null {
  const unexplained = unexplainedBytes(device);
  const allowance = driverAllowanceBytes + contextAllowanceBytes * (device.processes?.length ?? 0);
  return unexplained !== null && unexplained > allowance ? unexplained : null;
}
