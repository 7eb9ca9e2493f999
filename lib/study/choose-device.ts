/** The device that is measured, out of those that are there. */
import { MpsbenchError } from '../core/errors.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import type { StudyDevice } from './parts.ts';

/** By index or UUID; the first device where none is named; null where there is none at all. Throws PLAN_INVALID. */
export function chooseDevice(snapshot: GpuSnapshot, wanted: string | null): StudyDevice | null {
  const devices = snapshot.devices.flatMap(({ index, uuid }) => (uuid === null ? [] : [{ index, uuid }]));
  const found = devices.find(({ index, uuid }) => wanted === null || uuid === wanted || String(index) === wanted);
  if (found || wanted === null) return found ?? null;
  const present = devices.map(({ index, uuid }) => `${index} (${uuid})`).join(', ') || 'none';
  throw new MpsbenchError('PLAN_INVALID', `gpu.device: there is no device '${wanted}'; present: ${present}`);
}
