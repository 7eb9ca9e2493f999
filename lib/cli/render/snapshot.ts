/** One screen for one GPU snapshot: devices, their state, processes with roles, MPS, warnings. */
import { printable } from '../../core/printable.ts';
import type { DeviceReading, GpuSnapshot } from '../../records/gpu.ts';
import { wrap } from '../../report/wrap.ts';
import { type Finding, withoutAdvice } from '../../study/finding.ts';
import type { HostSnapshot } from '../../study/host-snapshot.ts';
import { type FittedColumn, type FittedTable, fittedTable } from './fitted-table.ts';

/** `width` is that of the terminal, null = lines of any length. What there is no room for is named at the end. */
export function renderProbe(result: HostSnapshot, width: number | null = null): string {
  const leftOut: string[] = [];
  const table: TableOf = (columns, rows) => {
    const fitted: FittedTable = fittedTable(columns, rows, width);
    leftOut.push(...fitted.leftOut);
    return fitted.text;
  };
  const parts = [
    fitting(versionsLine(result.gpu), width),
    identityTable(result.gpu.devices, table),
    stateTable(result.gpu.devices, table),
    processPart(result, table),
    fitting(mpsPart(result.mps), width),
    fitting(warningPart(result.warnings), width),
  ];
  const note = leftOut.length === 0 ? '' : `no room for ${leftOut.join(', ')}; --wide shows all\n`;
  return [...parts, fitting(note, width)].filter((part) => part !== '').join('\n');
}

type TableOf = (columns: readonly FittedColumn[], rows: readonly (readonly string[])[]) => string;

function fitting(lines: string, width: number | null): string {
  if (width === null) return lines;
  return lines
    .split('\n')
    .map((line) => wrap(line, width, '  '))
    .join('\n');
}

function versionsLine(gpu: GpuSnapshot): string {
  const told = (field: string, value: string | null): string => value ?? missing(gpu.unavailable, field);
  const versions = [
    `driver ${told('driverVersion', gpu.driverVersion)}`,
    `CUDA ${told('cudaDriverVersion', gpu.cudaDriverVersion)}`,
    `NVML ${told('nvmlVersion', gpu.nvmlVersion)}`,
  ];
  return `${versions.join('   ')}   (${gpu.nvmlPath})\n`;
}

const identityColumns: readonly FittedColumn[] = [
  { heading: 'GPU' },
  { heading: 'name', cut: 'end' },
  { heading: 'CC', leftOutAt: 4 },
  { heading: 'UUID', leftOutAt: 2 },
  { heading: 'PCI', leftOutAt: 1 },
  { heading: 'compute mode', leftOutAt: 3 },
  { heading: 'MIG' },
];

function identityTable(devices: readonly DeviceReading[], table: TableOf): string {
  if (devices.length === 0) return 'no devices\n';
  const rows = devices.map((device) => {
    const cell = cellsOf(device);
    return [
      String(device.index),
      cell('name', device.name, String),
      cell('computeCapability', device.computeCapability, String),
      cell('uuid', device.uuid, shortUuid),
      cell('pciBusId', device.pciBusId, String),
      cell('computeMode', device.computeMode, String),
      device.migEnabled
        ? `${device.migInstances.length} instances`
        : cell('migEnabled', device.migEnabled, () => 'off'),
    ];
  });
  return table(identityColumns, rows);
}

const stateColumns: readonly FittedColumn[] = [
  { heading: 'GPU' },
  { heading: 'used' },
  { heading: 'reserved', leftOutAt: 3 },
  { heading: 'total' },
  { heading: 'busy' },
  { heading: 'SM clock', leftOutAt: 6 },
  { heading: 'memory clock', leftOutAt: 1 },
  { heading: 'throttle', leftOutAt: 5 },
  { heading: 'power', leftOutAt: 7 },
  { heading: 'limit', leftOutAt: 2 },
  { heading: 'temp', leftOutAt: 4 },
];

function stateTable(devices: readonly DeviceReading[], table: TableOf): string {
  if (devices.length === 0) return '';
  const rows = devices.map((device) => {
    const cell = cellsOf(device);
    return [
      String(device.index),
      cell('memory.usedBytes', device.memory.usedBytes, mebibytes),
      cell('memory.reservedBytes', device.memory.reservedBytes, mebibytes),
      cell('memory.totalBytes', device.memory.totalBytes, mebibytes),
      cell('gpuUtilizationPercent', device.gpuUtilizationPercent, (value) => `${value} %`),
      cell('smClockMhz', device.smClockMhz, (value) => `${value} MHz`),
      cell('memoryClockMhz', device.memoryClockMhz, (value) => `${value} MHz`),
      cell('throttleReasons', device.throttleReasons, (reasons) => reasons.join(' ') || 'none'),
      cell('powerMilliwatts', device.powerMilliwatts, watts),
      cell('powerLimitMilliwatts', device.powerLimitMilliwatts, watts),
      cell('temperatureCelsius', device.temperatureCelsius, (value) => `${value} °C`),
    ];
  });
  return table(stateColumns, rows);
}

const processColumns: readonly FittedColumn[] = [
  { heading: 'GPU' },
  { heading: 'PID' },
  { heading: 'role' },
  { heading: 'memory' },
  { heading: 'lists', leftOutAt: 1 },
  // Of a path the end says more.
  { heading: 'name', cut: 'start' },
];

function processPart(result: HostSnapshot, table: TableOf): string {
  const unread = result.gpu.devices
    .filter((device) => device.processes === null)
    .map(
      (device) => `GPU ${device.index}: processes ${missing(device.unavailable, 'processes', 'processes.compute')}\n`,
    );
  if (result.processes.length === 0) return unread.length > 0 ? unread.join('') : 'no process on any device\n';
  const rows = result.processes.map((reading) => [
    String(reading.device),
    String(reading.pid),
    reading.role,
    reading.usedBytes === null ? 'n/a (the driver does not say)' : mebibytes(reading.usedBytes),
    reading.lists.join('+'),
    reading.name === null ? 'n/a (name not readable)' : printable(reading.name),
  ]);
  return table(processColumns, rows) + unread.join('');
}

function mpsPart({ control, daemons, ownDaemons }: HostSnapshot['mps']): string {
  const program =
    control.unavailable === null
      ? `${control.path ?? 'found'}, version ${control.version ?? 'n/a (not told)'}`
      : `n/a (${withoutAdvice(control.unavailable.message)})`;
  const own = ownDaemons.map(
    ({ pid, ownerPid, pipeDirectory }) =>
      `MPS daemon   alive, pid ${pid}, of mpsbench pid ${ownerPid}, pipe directory ${pipeDirectory}\n`,
  );
  const foreign = daemons.map((daemon) => {
    const who = daemon.state === 'stale' ? 'no process' : `pid ${daemon.pid ?? 'n/a'}, uid ${daemon.uid ?? 'n/a'}`;
    return `MPS daemon   ${daemon.state}, ${who}, pipe directory ${daemon.pipeDirectory ?? 'n/a (not readable)'}\n`;
  });
  const lines = [...own, ...foreign];
  return `MPS control  ${program}\n${lines.length > 0 ? lines.join('') : 'MPS daemon   none\n'}`;
}

function warningPart(warnings: readonly Finding[]): string {
  return warnings.map((finding) => `warning: ${finding.subject}: ${printable(finding.message)}\n`).join('');
}

/** Prints a field of the device, or says why it has no value; never 0 for unknown. */
function cellsOf(device: DeviceReading) {
  return <T>(field: string, value: T | null, print: (value: T) => string): string =>
    value === null ? missing(device.unavailable, field) : print(value);
}

function missing(unavailable: GpuSnapshot['unavailable'], ...fields: readonly string[]): string {
  for (const field of fields) {
    const entry = unavailable[field];
    if (entry) return `n/a (${entry.reason})`;
  }
  return 'n/a (no reason told)';
}

/** "GPU-01234567-89ab-…" -> "GPU-01234567": enough to tell the devices of one host apart. */
function shortUuid(uuid: string): string {
  return uuid.split('-').slice(0, 2).join('-');
}

/** One unit throughout, since figures of a few MiB are compared with those of many GiB. */
function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function watts(milliwatts: number): string {
  return `${(milliwatts / 1000).toFixed(1)} W`;
}

/** One line per device, for a --watch whose output is a file or a pipe. */
export function renderTick(result: HostSnapshot): string {
  return result.gpu.devices
    .map((device) => {
      const cell = cellsOf(device);
      const figures = [
        `used ${cell('memory.usedBytes', device.memory.usedBytes, mebibytes)}`,
        `busy ${cell('gpuUtilizationPercent', device.gpuUtilizationPercent, (value) => `${value} %`)}`,
        `SM ${cell('smClockMhz', device.smClockMhz, (value) => `${value} MHz`)}`,
        cell('powerMilliwatts', device.powerMilliwatts, watts),
        cell('temperatureCelsius', device.temperatureCelsius, (value) => `${value} °C`),
        device.processes === null ? 'processes n/a' : `processes ${device.processes.length}`,
      ];
      return `${result.recordedAt}  GPU ${device.index}  ${figures.join('  ')}\n`;
    })
    .join('');
}
