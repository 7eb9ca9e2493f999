/** The processes of a `watch` frame: filtered, sorted, as many as there is room for; pure. */
import { printable } from '../../core/printable.ts';
import { clip, type DisplayLine, type Paint } from '../live/display-line.ts';
import type { SortKey, WatchControls } from './controls.ts';
import type { WatchedProcess, WatchState } from './watch-state.ts';

export interface ListedProcess extends WatchedProcess {
  readonly device: number;
}

export const attachmentWords = {
  attached: 'attached',
  'fell-back': 'FELL BACK',
  off: 'off',
  server: 'server',
  unknown: 'unknown',
} as const;

const paints: Partial<Record<WatchedProcess['attachment'], Paint>> = {
  attached: 'green',
  'fell-back': 'red',
  unknown: 'yellow',
};
const urgency: readonly WatchedProcess['attachment'][] = ['fell-back', 'unknown', 'attached', 'server', 'off'];
const widths = { device: 3, pid: 8, role: 10, state: 9, arm: 8, share: 5, memory: 10 } as const;

/** Those that are to be seen, in the order that was asked for. */
export function listedProcesses(state: WatchState, { device, filter, sort }: WatchControls): ListedProcess[] {
  const all = state.devices.flatMap(({ index, processes }) =>
    device === null || device === index ? (processes ?? []).map((process) => ({ ...process, device: index })) : [],
  );
  const wanted = filter.toLowerCase();
  const seen = wanted === '' ? all : all.filter((process) => searched(process).includes(wanted));
  return seen.sort((a, b) => orders[sort](a, b) || a.device - b.device || a.pid - b.pid);
}

function searched({ pid, role, attachment, arm, name }: ListedProcess): string {
  return [pid, role, attachmentWords[attachment], arm ?? '', name ?? ''].join(' ').toLowerCase();
}

const orders: Readonly<Record<SortKey, (a: ListedProcess, b: ListedProcess) => number>> = {
  memory: (a, b) => (b.usedBytes ?? -1) - (a.usedBytes ?? -1),
  pid: (a, b) => a.pid - b.pid,
  share: (a, b) => (b.smSharePercent ?? -1) - (a.smSharePercent ?? -1),
  role: (a, b) => a.role.localeCompare(b.role),
  state: (a, b) => urgency.indexOf(a.attachment) - urgency.indexOf(b.attachment),
};

export function processHeading(): DisplayLine {
  const { device, pid, role, state, arm, share, memory } = widths;
  const cells = ['GPU'.padStart(device), 'PID'.padStart(pid), 'ROLE'.padEnd(role), 'MPS'.padEnd(state)];
  const rest = ['ARM'.padEnd(arm), 'SM %'.padStart(share), 'MEMORY'.padStart(memory), 'NAME'];
  return [{ text: [...cells, ...rest].join(' '), paint: 'bold' }];
}

export function processLine(process: ListedProcess, columns: number): DisplayLine {
  const { device, pid, role, state, arm, share, memory } = widths;
  const paint = paints[process.attachment];
  const word = attachmentWords[process.attachment].padEnd(state);
  const name = process.name === null ? 'n/a (not readable)' : printable(process.name);
  const before = [
    String(process.device).padStart(device),
    String(process.pid).padStart(pid),
    process.role.padEnd(role),
    '',
  ].join(' ');
  const after = [
    '',
    (process.attachment === 'server' ? '-' : (process.arm ?? 'n/a')).padEnd(arm),
    shareText(process).padStart(share),
    (process.usedBytes === null ? 'n/a' : `${Math.round(process.usedBytes / 1024 ** 2)} MiB`).padStart(memory),
    '',
  ].join(' ');
  const room = Math.max(1, columns - before.length - word.length - after.length);
  return [
    { text: before },
    paint === undefined ? { text: word } : { text: word, paint },
    { text: after },
    { text: shortName(name, room) },
  ];
}

/** A dash where MPS limits nothing, since then there is no share to be known. */
function shareText({ attachment, smSharePercent }: ListedProcess): string {
  if (attachment === 'off' || attachment === 'fell-back' || attachment === 'server') return '-';
  return smSharePercent === null ? 'n/a' : String(smSharePercent);
}

/** Without the directories of the program where they do not fit. */
function shortName(name: string, columns: number): string {
  if (name.length <= columns) return name;
  return clip(name.replace(/^\S*\//, ''), columns);
}

/** Who fell back or cannot be told, and why: the first lines that anybody should read. */
export function attentionLines(processes: readonly ListedProcess[], columns: number, rows: number): DisplayLine[] {
  const of = (wanted: WatchedProcess['attachment']): ListedProcess[] =>
    processes.filter(({ attachment }) => attachment === wanted);
  const all = [...of('fell-back'), ...of('unknown')];
  const shown = all.length > rows ? all.slice(0, rows - 1) : all;
  const lines = shown.map(({ attachment, device, pid, detail }): DisplayLine => {
    const fallen = attachment === 'fell-back';
    const who = `${fallen ? 'FELL BACK' : 'unknown'}  GPU ${device} PID ${pid}: `;
    const why = clip(printable(detail ?? ''), Math.max(1, columns - who.length));
    return [{ text: who, paint: fallen ? 'red' : 'yellow' }, { text: why }];
  });
  if (shown.length === all.length) return lines;
  return [
    ...lines,
    [{ text: `… and ${all.length - shown.length} more that fell back or are unknown`, paint: 'yellow' }],
  ];
}
