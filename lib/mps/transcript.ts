/** Pure: what nvidia-cuda-mps-control prints -> typed facts. Text that is not known is an error that shows it. */
import { MpsbenchError } from '../core/errors.ts';

export type MpsServerStatus = 'INITIALIZING' | 'ACTIVE' | 'FAULT';

export type RefusalReason =
  | 'no-daemon'
  | 'not-connected'
  | 'already-running'
  | 'pipe-directory'
  | 'server-not-found'
  | 'unknown-command'
  | 'insufficient-privileges'
  | 'invalid-percentage'
  | 'shutting-down';

/** The program said, in words that are known, that it did not do what was asked. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
  readonly text: string;
}

export type Answer<T> = { readonly kind: 'facts'; readonly facts: T } | Refusal;

/** Reads the output of one command. Throws MPS_UNKNOWN_OUTPUT, and nothing else, for text that is not known. */
export type Parser<T> = (command: string, text: string) => Answer<T>;

/** One row of `ps`: a client. Columns that this driver does not print are null. */
export interface PsRow {
  readonly pid: number;
  readonly serverPid: number;
  /** Beginning of the device's UUID. */
  readonly device: string | null;
  readonly command: string | null;
  readonly status: string | null;
}

/** Measured on driver 580.159.04, or in the strings of the 555 program. Exit status is 0 for nearly all of them. */
const refusals: readonly (readonly [RefusalReason, RegExp])[] = [
  ['no-daemon', /^Cannot find MPS control daemon process$/],
  ['not-connected', /^Cannot (?:authenticate or connect|send command) to MPS control daemon process$/],
  ['already-running', /^An instance of this daemon is already running$/],
  ['pipe-directory', /^Cannot access CUDA_MPS_PIPE_DIRECTORY=.*$/],
  ['server-not-found', /^Server(?: \d+)? not found$/],
  ['unknown-command', /^Unknown command ".*"$/],
  [
    'insufficient-privileges',
    /^(?:Insufficient privileges for|Not enough privilege to|Only (?:the )?root user may) .*$/,
  ],
  ['invalid-percentage', /^Invalid percentage, expected between \(0\.0, 100\.0\]$/],
  ['shutting-down', /^The MPS control daemon is shutting down$/],
];

/** The refusal that the text is, or null. */
export function refusalIn(text: string): Refusal | null {
  const line = text.trim();
  const match = refusals.find(([, pattern]) => pattern.test(line));
  return match ? { kind: 'refused', reason: match[0], text: line } : null;
}

/** `get_server_list` and `get_client_list PID`: one PID a line, nothing when there are none. */
export const parsePidList: Parser<readonly number[]> = (command, text) =>
  answer(command, text, (lines) => {
    const pids = lines.map(pidIn);
    return pids.includes(null) ? null : pids.filter((pid) => pid !== null);
  });

/** `get_server_status PID`. */
export const parseServerStatus: Parser<MpsServerStatus> = (command, text) =>
  answer(command, text, ([line, ...rest]) => {
    if (rest.length > 0) return null;
    return line === 'INITIALIZING' || line === 'ACTIVE' || line === 'FAULT' ? line : null;
  });

/** `get_…` and `set_…active_thread_percentage`: the value that holds now, (0, 100]. */
export const parsePercentage: Parser<number> = (command, text) =>
  answer(command, text, ([line, ...rest]) => {
    if (line === undefined || rest.length > 0 || !/^\d{1,3}(?:\.\d{1,6})?$/.test(line)) return null;
    const percentage = Number(line);
    return percentage > 0 && percentage <= 100 ? percentage : null;
  });

/** Commands that print nothing when they are done: `start_server`, `quit`. */
export const parseSilence: Parser<true> = (command, text) =>
  answer(command, text, (lines) => (lines.length === 0 ? true : null));

/** `ps`: read by the names in its head, since drivers print different columns; nothing when there is no client. */
export const parsePs: Parser<readonly PsRow[]> = (command, text) =>
  answer(command, text, ([head, ...rows]) => {
    if (head === undefined) return [];
    const names = head.split(/\s+/);
    if (new Set(names).size !== names.length || !names.includes('PID') || !names.includes('SERVER')) return null;
    if (!names.every((name) => /^[A-Z][A-Z_]*$/.test(name))) return null;
    const parsed = rows.map((row) => psRow(names, row));
    return parsed.includes(null) ? null : parsed.filter((row) => row !== null);
  });

/** `-v`: "… Binary version: 13000" -> 13000 (CUDA 13.0). */
export const parseVersion: Parser<number> = (command, text) =>
  answer(command, text, (lines) => {
    const match = /^CUDA MPS Control\b.*\bBinary version: (\d{4,6})$/.exec(lines[0] ?? '');
    return match ? Number(match[1]) : null;
  });

/** The error for text that is not known, with the text on one line and shortened. */
export function unknownOutput(command: string, text: string): MpsbenchError {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return new MpsbenchError(
    'MPS_UNKNOWN_OUTPUT',
    `the MPS control program answered '${command}' with text that mpsbench does not know: ${shown}; report it together with the driver's version`,
  );
}

function answer<T>(command: string, text: string, read: (lines: readonly string[]) => T | null): Answer<T> {
  const refused = refusalIn(text);
  if (refused) return refused;
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const facts = read(lines);
  if (facts === null) throw unknownOutput(command, text);
  return { kind: 'facts', facts };
}

function pidIn(text: string | undefined): number | null {
  if (text === undefined || !/^[1-9]\d{0,9}$/.test(text)) return null;
  return Number(text);
}

/** COMMAND may hold blanks, so it is what the columns on its left and on its right leave over. */
function psRow(names: readonly string[], row: string): PsRow | null {
  const words = row.split(/\s+/);
  const commandAt = names.indexOf('COMMAND');
  const surplus = words.length - names.length;
  if (surplus < 0 || (surplus > 0 && commandAt < 0)) return null;
  const cells = [...words];
  if (commandAt >= 0) cells.splice(commandAt, surplus + 1, words.slice(commandAt, commandAt + surplus + 1).join(' '));
  const cell = (name: string): string | null => cells[names.indexOf(name)] ?? null;
  const pid = pidIn(cell('PID') ?? undefined);
  const serverPid = pidIn(cell('SERVER') ?? undefined);
  if (pid === null || serverPid === null) return null;
  return { pid, serverPid, device: cell('DEVICE'), command: cell('COMMAND'), status: cell('STATUS') };
}
