/** The view of `watch` on a terminal: looks, draws and listens to keys until somebody leaves. */
import process from 'node:process';
import { systemClock } from '../../core/clock.ts';
import { isInterrupted } from '../../core/errors.ts';
import type { Nanoseconds } from '../../core/units.ts';
import type { CliContext } from '../context.ts';
import { linesText } from '../live/display-line.ts';
import { jobControl } from '../live/job-control.ts';
import type { ProgressTerminal } from '../terminal.ts';
import { afterKey, initialControls, keysIn, type WatchControls } from './controls.ts';
import { FullScreen } from './full-screen.ts';
import { WatchHistory } from './history.ts';
import type { HostWatch } from './host-watch.ts';
import { watchFrame } from './watch-frame.ts';

const interruptKey = '\x03';
const stopKey = '\x1a';

/** Ends when `q` is pressed. Rejects with INTERRUPTED, or with what a look threw; the terminal is given back before. */
export async function runWatchView(
  context: CliContext,
  host: HostWatch,
  { intervalNs, terminal }: { readonly intervalNs: Nanoseconds; readonly terminal: ProgressTerminal },
): Promise<void> {
  const history = new WatchHistory();
  const left = new AbortController();
  let controls = initialControls;
  let state = host.look();
  history.add(state);
  const take = (text: string): void => {
    for (const key of keysIn(text)) {
      if (key === interruptKey) process.kill(process.pid, 'SIGINT');
      else if (key === stopKey) job.stop();
      else if (key === 'q' && !controls.typing) left.abort();
      else
        controls = afterKey(
          controls,
          key,
          state.devices.map(({ index }) => index),
        );
    }
    draw();
  };
  using screen = new FullScreen(context.out, take);
  const draw = (): void => {
    if (left.signal.aborted || context.signal.aborted) return;
    job.resume();
    const { columns, rows } = terminal.size();
    // A full last column would leave the cursor in doubt, and a full last line would scroll.
    const size = { columns: columns - 1, rows: rows - 1 };
    screen.draw(linesText(watchFrame({ state, history, controls, intervalNs }, size), size.columns, terminal.colour));
  };
  using job = jobControl({
    leave: () => screen.leave(),
    enter: () => {
      screen.enter();
      draw();
    },
  });
  using _ = givenBack(context, screen, terminal, draw);
  screen.enter();
  draw();
  const over = AbortSignal.any([context.signal, left.signal]);
  while (await waited(intervalNs, over, context.signal)) {
    if (!isPaused(controls)) {
      state = host.look();
      history.add(state);
    }
    draw();
  }
}

function isPaused({ paused }: WatchControls): boolean {
  return paused;
}

/** Whether the view goes on. Rejects with INTERRUPTED where it was not `q` that ended the wait. */
async function waited(intervalNs: Nanoseconds, over: AbortSignal, interrupt: AbortSignal): Promise<boolean> {
  try {
    await systemClock.sleep(intervalNs, over);
    return true;
  } catch (thrown) {
    if (!isInterrupted(thrown) || interrupt.aborted) throw thrown;
    return false;
  }
}

/** Draws anew after each change of size, and gives the terminal back before anything is said of an interrupt. */
function givenBack(context: CliContext, screen: FullScreen, terminal: ProgressTerminal, draw: () => void): Disposable {
  const leave = (): void => screen.leave();
  const endResize = terminal.onResize(() => {
    screen.reset();
    draw();
  });
  const removeEmergency = context.emergency.add(leave);
  context.signal.addEventListener('abort', leave, { once: true });
  return {
    [Symbol.dispose]: () => {
      endResize();
      removeEmergency();
      context.signal.removeEventListener('abort', leave);
    },
  };
}
