/** What the keys of `watch` have set, and what each key changes; pure. */

export const sortKeys = ['memory', 'pid', 'share', 'role', 'state'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface WatchControls {
  readonly sort: SortKey;
  /** Text that a process's line must hold; empty = all. */
  readonly filter: string;
  /** The filter is being typed. */
  readonly typing: boolean;
  readonly help: boolean;
  readonly paused: boolean;
  /** Index of the device that is shown alone; null = all. */
  readonly device: number | null;
  /** Processes that are scrolled past. */
  readonly skip: number;
}

export const initialControls: WatchControls = {
  sort: 'state',
  filter: '',
  typing: false,
  help: false,
  paused: false,
  device: null,
  skip: 0,
};

/** For the help, in its order. */
export const keyWords: readonly (readonly [string, string])[] = [
  ['m p u r a', 'sort by memory, PID, SM share, role, attachment'],
  ['s', 'the next order'],
  ['/', 'only processes with a text; Enter keeps it, Esc clears it'],
  ['Tab 0-9', 'one GPU alone; Tab after the last shows all'],
  ['↑ ↓ PgUp PgDn', 'scroll the processes'],
  ['space', 'pause, and go on'],
  ['?', 'this help'],
  ['q, Ctrl-C', 'leave; Ctrl-Z stops, fg goes on'],
];

const sortOf: Readonly<Record<string, SortKey>> = { m: 'memory', p: 'pid', u: 'share', r: 'role', a: 'state' };
const scrolls: Readonly<Record<string, number>> = {
  '\x1b[A': -1,
  '\x1b[B': 1,
  '\x1bOA': -1,
  '\x1bOB': 1,
  '\x1b[5~': -10,
  '\x1b[6~': 10,
};

const mostFilterLength = 40;

/** Splits what a terminal sent into keys: one character, or the sequence of a cursor key. */
export function keysIn(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: such are the keys
  return text.match(/\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Za-z]|[\s\S]/gu) ?? [];
}

/** The controls after the key; the same object where it means nothing. `devices`: the indices there are. */
export function afterKey(controls: WatchControls, key: string, devices: readonly number[]): WatchControls {
  if (controls.typing) return afterTyped(controls, key);
  if (controls.help) return { ...controls, help: false };
  const sort = sortOf[key];
  if (sort !== undefined) return { ...controls, sort, skip: 0 };
  const by = scrolls[key];
  if (by !== undefined) return { ...controls, skip: Math.max(0, controls.skip + by) };
  if (/^\d$/.test(key)) return devices.includes(Number(key)) ? onDevice(controls, Number(key)) : controls;
  switch (key) {
    case 's':
      return {
        ...controls,
        sort: sortKeys[(sortKeys.indexOf(controls.sort) + 1) % sortKeys.length] ?? 'memory',
        skip: 0,
      };
    case '/':
      return { ...controls, typing: true };
    case '\x1b':
      return { ...controls, filter: '', skip: 0 };
    case '\t':
      return onDevice(controls, nextDevice(controls.device, devices));
    case ' ':
      return { ...controls, paused: !controls.paused };
    case '?':
    case 'h':
      return { ...controls, help: true };
    default:
      return controls;
  }
}

function afterTyped(controls: WatchControls, key: string): WatchControls {
  if (key === '\r' || key === '\n') return { ...controls, typing: false };
  if (key === '\x1b') return { ...controls, typing: false, filter: '', skip: 0 };
  if (key === '\x7f' || key === '\b') {
    return { ...controls, filter: [...controls.filter].slice(0, -1).join(''), skip: 0 };
  }
  if (key.length > 2 || /\p{Cc}/u.test(key) || controls.filter.length >= mostFilterLength) return controls;
  return { ...controls, filter: controls.filter + key, skip: 0 };
}

function onDevice(controls: WatchControls, device: number | null): WatchControls {
  return { ...controls, device, skip: 0 };
}

function nextDevice(device: number | null, devices: readonly number[]): number | null {
  return devices[device === null ? 0 : devices.indexOf(device) + 1] ?? null;
}
