/** The device that an option names, among those of a session. */
import { selectDevice } from '../../analysis/gpu-attribution.ts';
import { MpsbenchError } from '../../core/errors.ts';
import type { GpuSession } from '../../gpu/session.ts';

/** Its index; null where none is named. Throws USAGE. */
export function chosenDevice(session: GpuSession, name: string | null): number | null {
  if (name === null) return null;
  const gpu = session.snapshot();
  const device = selectDevice(gpu, name);
  if (device) return device.index;
  const there = gpu.devices.map(({ index, uuid }) => `${index}${uuid === null ? '' : ` (${uuid})`}`).join(', ');
  throw new MpsbenchError('USAGE', `--device: no GPU '${name}' on this host; name one of ${there || 'none'}`);
}
