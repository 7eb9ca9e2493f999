/** The devices of a `watch` frame: figures, the memory bar by holder, sparklines; three lines or one each; pure. */
import { printable } from '../../core/printable.ts';
import { formatBytes } from '../../core/units.ts';
import { sparkline } from '../live/bars.ts';
import { clip, type DisplayLine, type Paint, type Span } from '../live/display-line.ts';
import type { HistoryFigure, WatchHistory } from './history.ts';
import type { MemoryPart, MemoryParts } from './memory-parts.ts';
import type { WatchedDevice } from './watch-state.ts';

/** A letter for each holder, so that the bar reads without colours. */
export const memoryLetters: readonly (readonly [MemoryPart, string, string, Paint | undefined])[] = [
  ['workersBytes', 'W', 'workers', 'green'],
  ['mpsClientsBytes', 'C', 'MPS clients', 'cyan'],
  ['mpsServerBytes', 'M', 'MPS server', 'bold'],
  ['foreignBytes', 'F', 'foreign', 'yellow'],
  ['unexplainedBytes', 'u', 'unexplained', 'red'],
  ['reservedBytes', 'R', 'reserved', 'dim'],
  ['freeBytes', '·', 'free', 'dim'],
];

const sparkColumns = { least: 8, most: 60 };

/** Lines for one device where there is room. */
export const detailedLineCount = 3;

export function detailedDevice(device: WatchedDevice, history: WatchHistory, columns: number): DisplayLine[] {
  const cell = cellsOf(device);
  const right = [
    cell('gpuUtilizationPercent', device.gpuUtilizationPercent, (value) => `busy ${value} %`),
    cell('smClockMhz', device.smClockMhz, (value) => `${value} MHz`),
    powerText(device),
    cell('temperatureCelsius', device.temperatureCelsius, (value) => `${value} °C`),
  ].join('  ');
  const left = `GPU ${device.index}  ${shortName(device)}`;
  const memory = memoryText(device);
  const barColumns = Math.max(10, columns - memory.length - 13);
  return [
    [
      { text: clip(left, Math.max(12, columns - right.length - 2)), paint: 'bold' },
      { text: `  ${right}` },
      ...throttleSpan(device),
    ],
    [{ text: '  memory  ' }, ...memoryBar(device.memoryParts, barColumns), { text: ` ${memory}` }],
    [
      { text: '  ' },
      ...clientSpans(device, ' clients'),
      { text: '  ' },
      ...sparkSpans(device.index, history, columns - 28),
    ],
  ];
}

export function compactDevice(device: WatchedDevice, columns: number): DisplayLine {
  const cell = cellsOf(device);
  const busy = cell('gpuUtilizationPercent', device.gpuUtilizationPercent, (value) => `${value} %`).padStart(5);
  const memory = memoryText(device).padStart(14);
  const watts = device.powerMilliwatts === null ? 'n/a' : `${Math.round(device.powerMilliwatts / 1000)} W`;
  const state = `${watts.padStart(5)} ${cell('temperatureCelsius', device.temperatureCelsius, (value) => `${value} °C`)}`;
  const nameColumns = columns >= 110 ? 24 : 0;
  const name = nameColumns === 0 ? '' : `${clip(shortName(device), nameColumns).padEnd(nameColumns)} `;
  const barColumns = Math.max(8, columns - 61 - nameColumns);
  return [
    { text: `${String(device.index).padStart(3)} `, paint: 'bold' },
    { text: `${name}${busy} ` },
    ...memoryBar(device.memoryParts, barColumns),
    { text: ` ${memory} ${state}  ` },
    ...clientSpans(device, ''),
    ...throttleSpan(device, (reason) => reason.replace(/^[sh]w-|-slowdown$/g, '')),
  ];
}

/** For a terminal that has room for nothing else. */
export function tinyDevice(device: WatchedDevice): DisplayLine {
  const fellBack = device.processes?.filter(({ attachment }) => attachment === 'fell-back').length ?? 0;
  const used = device.memory.usedBytes === null ? 'n/a' : formatBytes(device.memory.usedBytes).replace(' ', '');
  return [
    { text: `${device.index} `, paint: 'bold' },
    ...(fellBack > 0 ? [{ text: `FELL${fellBack} `, paint: 'red' } as const] : []),
    { text: `${device.gpuUtilizationPercent ?? 'n/a'}% ${used}` },
  ];
}

/** "C MPS clients": what the letters of the bar stand for, of those that are on some device. */
export function legendLine(devices: readonly WatchedDevice[]): DisplayLine {
  const present = memoryLetters.filter(([part]) => devices.some((device) => (device.memoryParts[part] ?? 0) > 0));
  return [{ text: ` ${present.map(([, letter, words]) => `${letter} ${words}`).join(' ')}`, paint: 'dim' }];
}

/** Brackets around the parts, each by its letter; whatever is there has a column at least. */
export function memoryBar(parts: MemoryParts, columns: number): Span[] {
  const shares = memoryLetters.map(([part]) => parts[part] ?? 0);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const inside = columns - 2;
  if (total === 0) return [{ text: `[${clip('n/a (memory unknown)', inside).padEnd(inside)}]`, paint: 'dim' }];
  const cells = cellsFor(shares, total, inside);
  const spans = memoryLetters.map(([, letter, , paint], at): Span => {
    const text = letter.repeat(cells[at] ?? 0);
    return paint === undefined ? { text } : { text, paint };
  });
  return [{ text: '[' }, ...spans.filter(({ text }) => text !== ''), { text: ']' }];
}

/** Shares to columns: one at least for each that is not 0, and all of them together what there is. */
function cellsFor(shares: readonly number[], total: number, columns: number): number[] {
  const cells = shares.map((share) => (share === 0 ? 0 : Math.max(1, Math.round((share / total) * columns))));
  let surplus = cells.reduce((sum, cell) => sum + cell, 0) - columns;
  while (surplus !== 0) {
    const widest = cells.indexOf(Math.max(...cells));
    const step = surplus > 0 ? -Math.min(surplus, Math.max(1, (cells[widest] ?? 1) - 1)) : -surplus;
    cells[widest] = (cells[widest] ?? 0) + step;
    surplus += step;
  }
  return cells;
}

function memoryText({ memory }: WatchedDevice): string {
  if (memory.usedBytes === null || memory.totalBytes === null) return 'n/a';
  return `${(memory.usedBytes / 1024 ** 3).toFixed(1)}/${formatBytes(memory.totalBytes)}`;
}

function powerText({ powerMilliwatts, powerLimitMilliwatts }: WatchedDevice): string {
  const watts = (milliwatts: number | null): string =>
    milliwatts === null ? 'n/a' : String(Math.round(milliwatts / 1000));
  return `${watts(powerMilliwatts)}/${watts(powerLimitMilliwatts)} W`;
}

function clientSpans({ mpsClients, clientLimit }: WatchedDevice, unit: string): Span[] {
  const text = `MPS ${mpsClients ?? 'n/a'}/${clientLimit ?? '?'}${unit}`;
  const full = mpsClients !== null && clientLimit !== null && mpsClients >= clientLimit;
  return full ? [{ text, paint: 'red' }] : [{ text }];
}

/** An idle clock is no throttling, and so is not told. */
function throttleSpan({ throttleReasons }: WatchedDevice, word = (reason: string): string => reason): Span[] {
  const reasons = throttleReasons?.filter((reason) => reason !== 'gpu-idle') ?? [];
  return reasons.length === 0 ? [] : [{ text: `  ! ${reasons.map(word).join(' ')}`, paint: 'yellow' }];
}

/** The maker's name is the same for all of them. */
function shortName({ name }: WatchedDevice): string {
  return printable(name ?? 'name n/a').replace(/^NVIDIA /, '');
}

function sparkSpans(device: number, history: WatchHistory, columns: number): Span[] {
  const figures: readonly (readonly [HistoryFigure, string])[] = [
    ['busyPercent', 'busy'],
    ['memoryPercent', 'mem'],
    ['powerPercent', 'power'],
  ];
  const each = Math.min(sparkColumns.most, Math.floor(columns / figures.length) - 7);
  if (each < sparkColumns.least) return [];
  return figures.flatMap(([figure, words]): Span[] => [
    { text: `${words} `, paint: 'dim' },
    { text: `${sparkline(history.of(device, figure, each), each, 100).text.padEnd(each)} `, paint: 'cyan' },
  ]);
}

/** "n/a" with the reason where the driver told none. */
function cellsOf(device: WatchedDevice) {
  return <T>(field: string, value: T | null, print: (value: T) => string): string =>
    value === null ? `n/a (${device.unavailable[field]?.reason ?? 'unknown'})` : print(value);
}
