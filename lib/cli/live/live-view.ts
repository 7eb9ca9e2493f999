/** The view of a load run on a terminal, drawn anew with each interval. */
import type { CliContext } from '../context.ts';
import type { ProgressTerminal } from '../terminal.ts';
import { linesText } from './display-line.ts';
import { jobControl } from './job-control.ts';
import { LiveScreen, showCursor } from './live-screen.ts';
import { type LoadTitle, loadFrame } from './load-frame.ts';
import type { LoadProgressTally } from './load-so-far.ts';

export interface LiveView {
  draw(): void;
  /** Takes the view away and gives the cursor back. Idempotent. */
  dispose(): void;
}

/** Drawn at once. Goes by itself when the run is interrupted: the words that follow need its place. */
export function liveView(
  context: CliContext,
  title: LoadTitle,
  tally: LoadProgressTally,
  terminal: ProgressTerminal,
): LiveView {
  const screen = new LiveScreen(context.err);
  let over = false;
  const draw = (): void => {
    if (over) return;
    job.resume();
    const { columns, rows } = terminal.size();
    // A full last column would leave the cursor in doubt.
    const size = { columns: columns - 1, rows };
    screen.draw(linesText(loadFrame(title, tally.soFar(), size), size.columns, terminal.colour));
  };
  // Ctrl-Z must leave a shell with a cursor.
  const job = jobControl({ leave: () => screen.erase(), enter: draw });
  const removeEmergency = context.emergency.add(() => !over && context.err(showCursor));
  const endResize = terminal.onResize(() => {
    screen.reset();
    draw();
  });
  const dispose = (): void => {
    if (over) return;
    over = true;
    screen.erase();
    job[Symbol.dispose]();
    removeEmergency();
    endResize();
    context.signal.removeEventListener('abort', dispose);
  };
  context.signal.addEventListener('abort', dispose, { once: true });
  draw();
  return { draw, dispose };
}

/** The last view, for whoever interrupted the run. What is said about that, and the next prompt, stand around it. */
export function interruptedText(
  title: LoadTitle,
  tally: LoadProgressTally,
  terminal: { readonly width: number | null; readonly rows: number | null; readonly colour: boolean },
): string {
  const size = { columns: terminal.width ?? 80, rows: Math.max((terminal.rows ?? 24) - 3, 16) };
  const frame = loadFrame(title, tally.soFar(), size, 'interrupted');
  return `${linesText(frame, size.columns, terminal.colour).join('\n')}\n`;
}
