/** What a terminal shows of the host; pure: a state, its history, the controls and a size to lines. */
import { printable } from '../../core/printable.ts';
import { counted, formatDuration, type Nanoseconds } from '../../core/units.ts';
import { withoutAdvice } from '../../study/finding.ts';
import type { DisplayLine, Span } from '../live/display-line.ts';
import { keyWords, type WatchControls } from './controls.ts';
import {
  compactDevice,
  detailedDevice,
  detailedLineCount,
  legendLine,
  memoryLetters,
  tinyDevice,
} from './device-lines.ts';
import type { WatchHistory } from './history.ts';
import type { WatchedDaemon } from './mps-reading.ts';
import { attentionLines, type ListedProcess, listedProcesses, processHeading, processLine } from './process-lines.ts';
import type { WatchedDevice, WatchState } from './watch-state.ts';

export interface WatchFrame {
  readonly state: WatchState;
  readonly history: WatchHistory;
  readonly controls: WatchControls;
  readonly intervalNs: Nanoseconds;
}

export interface WatchSize {
  readonly columns: number;
  /** Lines that may be used; infinite for a frame that goes to a file. */
  readonly rows: number;
}

const leastColumns = 60;
const leastRows = 14;
/** Below these parts so many lines are left for processes. */
const processRows = 6;

/** At most so many lines, none wider than the columns once it is clipped. */
export function watchFrame(frame: WatchFrame, size: WatchSize): DisplayLine[] {
  if (frame.controls.help) return helpLines().slice(0, size.rows);
  if (size.columns < leastColumns || size.rows < leastRows) return tinyFrame(frame, size);
  const { state, controls } = frame;
  const shown = state.devices.filter(({ index }) => controls.device === null || controls.device === index);
  const listed = listedProcesses(state, controls);
  const mps = mpsLines(state, Math.min(4, Math.max(1, Math.floor(size.rows / 8))));
  const fallen = attentionLines(
    listedProcesses(state, { ...controls, filter: '' }),
    size.columns,
    size.rows > 40 ? 6 : 2,
  );
  const around = [titleLine(frame), ...mps, ...fallen, countsLine(state, frame.controls), processHeading()];
  const footer = Number.isFinite(size.rows) ? [footerLine(controls)] : [];
  const devicesRoom = size.rows - around.length - footer.length - Math.min(processRows, listed.length) - 1;
  const devices = deviceLines(shown, frame.history, { columns: size.columns, rows: devicesRoom });
  const room = size.rows - around.length - devices.length - footer.length;
  const processes = processLines(state, listed, controls, { columns: size.columns, rows: room });
  const [title = [], ...rest] = around;
  const body = [title, ...devices, ...rest, ...processes];
  const blank = Number.isFinite(size.rows) ? Math.max(0, size.rows - footer.length - body.length) : 0;
  return [...body, ...Array.from({ length: blank }, (): DisplayLine => []), ...footer].slice(0, size.rows);
}

function titleLine({ state, controls, intervalNs }: WatchFrame): DisplayLine {
  const told = [
    `driver ${state.driverVersion ?? 'n/a'}`,
    `CUDA ${state.cudaDriverVersion ?? 'n/a'}`,
    counted(state.devices.length, 'GPU'),
    `${state.recordedAt.slice(11, 19)}Z`,
    `every ${formatDuration(intervalNs)}`,
  ];
  const paused: Span[] = controls.paused ? [{ text: '  PAUSED', paint: 'yellow' }] : [];
  return [{ text: 'mpsbench watch', paint: 'bold' }, ...paused, { text: `  ${told.join('  ')}` }];
}

function deviceLines(
  devices: readonly WatchedDevice[],
  history: WatchHistory,
  { columns, rows }: WatchSize,
): DisplayLine[] {
  if (devices.length === 0) return [[{ text: 'no device' }]];
  const legend = legendLine(devices);
  if (devices.length * detailedLineCount + 1 <= rows) {
    return [...devices.flatMap((device) => detailedDevice(device, history, columns)), legend];
  }
  const room = Math.max(2, rows);
  const fits = devices.length + 1 <= room;
  const shown = fits ? devices : devices.slice(0, room - 1);
  const lines = shown.map((device) => compactDevice(device, columns));
  if (fits) return [...lines, legend];
  return [...lines, [{ text: `    … and ${counted(devices.length - shown.length, 'more GPU')} (Tab)`, paint: 'dim' }]];
}

function mpsLines({ mps }: WatchState, rows: number): DisplayLine[] {
  if (mps.daemons.length === 0) {
    const { unavailable } = mps.control;
    const why = unavailable === null ? '' : `  (${printable(withoutAdvice(unavailable.message))})`;
    return [[{ text: 'MPS  no daemon' }, { text: why, paint: 'dim' }]];
  }
  const shown = mps.daemons.length > rows ? mps.daemons.slice(0, Math.max(1, rows - 1)) : mps.daemons;
  const lines = shown.map(daemonLine);
  if (shown.length === mps.daemons.length) return lines;
  return [
    ...lines,
    [{ text: `MPS  … and ${counted(mps.daemons.length - shown.length, 'more daemon')}`, paint: 'dim' }],
  ];
}

function daemonLine(daemon: WatchedDaemon): DisplayLine {
  const { state, pid, uid, ownerPid, pipeDirectory, servers, detail } = daemon;
  const whose = ownerPid === null ? `uid ${uid ?? 'n/a'}` : `of mpsbench ${ownerPid}`;
  const who = pid === null ? 'no process known' : `pid ${pid}`;
  const told = servers.map(({ pid: server, status, clientPids }) => {
    const clients = clientPids === null ? '' : `, ${counted(clientPids.length, 'client')}`;
    return `server ${server}${status === null ? '' : ` ${status}`}${clients}`;
  });
  const rest = state === 'alive' ? (told.length > 0 ? told.join('; ') : 'no server') : printable(detail ?? '');
  return [
    { text: 'MPS  ' },
    { text: state, paint: state === 'alive' ? 'green' : 'yellow' },
    { text: `  ${who}, ${whose}, ${printable(pipeDirectory ?? 'directory n/a')}  ${rest}` },
  ];
}

function countsLine({ processCounts }: WatchState, controls: WatchControls): DisplayLine {
  const { attached, off, unknown } = processCounts;
  const fallen = processCounts['fell-back'];
  return [
    { text: `${attached} attached, ` },
    fallen > 0 ? { text: `${fallen} FELL BACK`, paint: 'red' } : { text: '0 fell back' },
    {
      text: `, ${off} off${unknown > 0 ? `, ${unknown} unknown` : ''}  by ${controls.sort === 'state' ? 'attachment' : controls.sort}`,
    },
    { text: controls.device === null ? '' : `  GPU ${controls.device} alone`, paint: 'yellow' },
    { text: controls.filter === '' ? '' : `  with "${printable(controls.filter)}"`, paint: 'yellow' },
  ];
}

function processLines(
  { devices }: WatchState,
  listed: readonly ListedProcess[],
  { skip, filter }: WatchControls,
  { columns, rows }: WatchSize,
): DisplayLine[] {
  const unread = devices.filter(({ processes }) => processes === null).map(unreadLine);
  if (listed.length === 0 && unread.length === 0) {
    return [[{ text: `    no process${filter === '' ? ' on any GPU' : ' with that text'}`, paint: 'dim' }]];
  }
  const room = Math.max(1, rows - unread.length);
  const fits = listed.length <= room;
  const first = fits ? 0 : Math.min(skip, listed.length - Math.max(1, room - 1));
  const shown = listed.slice(first, fits ? undefined : first + Math.max(1, room - 1));
  const lines = [...unread, ...shown.map((process) => processLine(process, columns))];
  if (fits) return lines;
  const above = first > 0 ? `${first} above, ` : '';
  return [...lines, [{ text: `    … ${above}and ${listed.length - first - shown.length} more`, paint: 'dim' }]];
}

function unreadLine({ index, unavailable }: WatchedDevice): DisplayLine {
  const why = unavailable.processes ?? unavailable['processes.compute'];
  return [{ text: `${String(index).padStart(3)} processes n/a (${why?.reason ?? 'no reason told'})`, paint: 'yellow' }];
}

function footerLine({ typing, filter }: WatchControls): DisplayLine {
  if (typing) return [{ text: `filter: ${printable(filter)}_  (Enter keeps it, Esc clears it)`, paint: 'bold' }];
  return [{ text: 'q quit  ? help  / filter  s sort  Tab GPU  ↑↓ scroll  space pause', paint: 'dim' }];
}

function helpLines(): DisplayLine[] {
  const keys = keyWords.map(
    ([key, words]): DisplayLine => [{ text: `  ${key.padEnd(15)}`, paint: 'bold' }, { text: words }],
  );
  const letters = memoryLetters.map(([, letter, words]) => `${letter} ${words}`).join(' ');
  return [
    [{ text: 'mpsbench watch: keys', paint: 'bold' }],
    ...keys,
    [],
    [{ text: '  memory bar:' }],
    [{ text: ` ${letters}` }],
    [{ text: '  FELL BACK: asks for MPS, or runs beside a daemon, but is no MPS client of it' }],
    [{ text: '  ! before a word: what holds the clocks down' }],
    [{ text: '  any key goes back', paint: 'dim' }],
  ];
}

function tinyFrame({ state, controls }: WatchFrame, { rows }: WatchSize): DisplayLine[] {
  const shown = state.devices.filter(({ index }) => controls.device === null || controls.device === index);
  const { attached } = state.processCounts;
  const fallen = state.processCounts['fell-back'];
  const counts: DisplayLine = [
    { text: `${attached} on MPS ` },
    { text: `${fallen} fell back`, ...(fallen > 0 ? { paint: 'red' as const } : {}) },
  ];
  return [counts, ...shown.map(tinyDevice)].slice(0, Math.max(1, rows));
}
