/** A metric as data: its name, its words, its labels, and what one reading of the host gives for it. */
import { printable } from '../../core/printable.ts';
import type { DeviceReading } from '../../records/gpu.ts';
import type { ProbedProcess } from '../../study/host-snapshot.ts';
import type { HostReading } from '../host-reader.ts';
import type { ProcessArm } from '../process-arm.ts';

export type Labels = Readonly<Record<string, string | number>>;

/** A reading with the labels of its devices and processes, made once for all the series that carry them. */
export interface LabelledReading extends HostReading {
  /** By place in the snapshot. */
  readonly devices: readonly { readonly device: DeviceReading; readonly labels: Labels }[];
  readonly processes: readonly {
    readonly process: ProbedProcess;
    readonly arm: ProcessArm | undefined;
    readonly labels: Labels;
  }[];
}

export interface Sample {
  /** The same object wherever the labels are the same: it is written out once. */
  readonly shared?: Labels;
  readonly own?: Labels;
  /** null = not known: then there is no such series. */
  readonly value: number | null;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  readonly samples: (reading: LabelledReading) => readonly Sample[];
}

export const deviceLabels = ['gpu', 'uuid', 'name'] as const;
export const processLabels = ['gpu', 'uuid', 'pid', 'process', 'role'] as const;

export function labelled(reading: HostReading): LabelledReading {
  const devices = (reading.snapshot?.gpu.devices ?? []).map((device) => ({
    device,
    labels: { gpu: device.index, uuid: device.uuid ?? '', name: device.name ?? '' },
  }));
  const uuids = new Map(devices.map(({ labels }) => [labels.gpu, labels.uuid]));
  const processes = (reading.snapshot?.processes ?? []).map((process, place) => {
    const { device: gpu, pid, role } = process;
    const labels = { gpu, uuid: uuids.get(gpu) ?? '', pid, process: processName(process.name), role };
    return { process, arm: reading.arms[place], labels };
  });
  return { ...reading, devices, processes };
}

/** One series for each device. */
export function ofDevices(name: string, help: string, value: (device: DeviceReading) => number | null): MetricFamily {
  const samples = ({ devices }: LabelledReading): Sample[] =>
    devices.map(({ device, labels }) => ({ shared: labels, value: value(device) }));
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  return { name, help, type, labels: deviceLabels, samples };
}

/** Several series for each device, told apart by labels of their own. */
export function ofDeviceStates(
  name: string,
  help: string,
  labels: readonly string[],
  states: (device: DeviceReading, reading: LabelledReading) => readonly (readonly [Labels, number | null])[],
): MetricFamily {
  const samples = (reading: LabelledReading): Sample[] =>
    reading.devices.flatMap(({ device, labels: shared }) =>
      states(device, reading).map(([own, value]) => ({ shared, own, value })),
    );
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  return { name, help, type, labels: [...deviceLabels, ...labels], samples };
}

/** One series for each process on each device. */
export function ofProcesses(
  name: string,
  help: string,
  value: (process: ProbedProcess, arm: ProcessArm | undefined) => number | null,
): MetricFamily {
  const samples = ({ processes }: LabelledReading): Sample[] =>
    processes.map(({ process, arm, labels }) => ({ shared: labels, value: value(process, arm) }));
  return { name, help, type: 'gauge', labels: processLabels, samples };
}

/** Without its folder; empty where the driver does not say it. */
export function processName(name: string | null): string {
  return printable(name?.split('/').at(-1) ?? '');
}

export function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}

export function flag(value: boolean | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
