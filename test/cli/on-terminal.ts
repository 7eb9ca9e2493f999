/** Runs the built mpsbench under a pseudo terminal, and presses keys once it shows what they answer to. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { cliEnvironment, finished, mainPath } from './run-cli.ts';

export const cursorHidden = '\x1b[?25l';
export const cursorShown = '\x1b[?25h';

/** script (util-linux) makes the terminal; where it is missing nothing here can be seen. */
export const terminalMissing: string | false =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true
    ? false
    : 'the program script of util-linux is not here';

/** Tells the PID of the shell, before all else. */
const shellLine = /^SHELL (\d+) IS HERE\r\n/;

export interface Seen {
  /** All that was written to the terminal. */
  readonly text: string;
  readonly status: number | null;
}

/** Keys to press, or an act on the terminal's device and the program's PID, once the text is seen after the last step's. */
export type Step = readonly [RegExp, string | ((terminal: { readonly device: string; readonly pid: number }) => void)];

export interface TerminalWish {
  readonly variables?: NodeJS.ProcessEnv;
  /** Sees everything written so far, and may press keys. */
  readonly onText?: (text: string, child: ChildProcess) => void;
  readonly steps?: readonly Step[];
  /** Shell text around the command; it is run as the shell itself where this is left out. */
  readonly around?: (command: string) => string;
}

/** On a terminal of 80 x 24 whose shell is sh. */
export async function onTerminal(args: readonly string[], wish: TerminalWish = {}): Promise<Seen> {
  const { variables = {}, around = (command: string) => `exec ${command}` } = wish;
  const program = [process.execPath, mainPath, ...args].join(' ');
  const command = `stty cols 80 rows 24; echo SHELL $$ IS HERE; ${around(program)}`;
  const { NO_COLOR: _, ...inherited } = cliEnvironment({ TERM: 'xterm-256color', ...variables });
  const env = { ...inherited, ...variables, SHELL: '/bin/sh' };
  const child = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: 'pipe' });
  const left = [...(wish.steps ?? [])];
  let text = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    wish.onText?.(text, child);
    for (let step = left[0]; step !== undefined; step = left[0]) {
      const found = step[0].exec(text.slice(from));
      if (!found) return;
      from += found.index + found[0].length;
      left.shift();
      if (typeof step[1] === 'string') child.stdin.write(step[1]);
      else step[1](terminalIn(text));
    }
  });
  const { stdout, status } = await finished(child);
  return { text: stdout.replace(shellLine, ''), status };
}

/** Of the shell, or of the program that has taken its place. */
function terminalIn(text: string): { readonly device: string; readonly pid: number } {
  const pid = Number(shellLine.exec(text)?.[1]);
  return { device: readlinkSync(`/proc/${pid}/fd/1`), pid };
}
