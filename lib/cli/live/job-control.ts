/** Ctrl-Z under a live view: the terminal is given back before the process stops, and taken again when it goes on. */
import process from 'node:process';

export interface JobControl extends Disposable {
  /** Stops the whole foreground job, for a view that reads Ctrl-Z as a key. */
  stop(): void;
  /** For every redraw: goes on where the system let the process run in spite of all. */
  resume(): void;
}

/**
 * Calls `leave` before the process stops and `enter` once it goes on. Listening to SIGTSTP takes its default action
 * away, which is why it is sent once more without the listener. A process whose group has no shell above it is not
 * stopped by the system; the next resume() then takes the terminal again.
 */
export function jobControl(view: { readonly leave: () => void; readonly enter: () => void }): JobControl {
  let stopped = false;
  const halt = (target: number): void => {
    if (stopped) return;
    stopped = true;
    view.leave();
    process.off('SIGTSTP', onStop);
    process.kill(target, 'SIGTSTP');
  };
  const onStop = (): void => halt(process.pid);
  const resume = (): void => {
    if (!stopped) return;
    stopped = false;
    process.on('SIGTSTP', onStop);
    view.enter();
  };
  process.on('SIGTSTP', onStop);
  process.on('SIGCONT', resume);
  return {
    // The group, since whoever started this program (npx) must stop with it.
    stop: () => halt(0),
    resume,
    [Symbol.dispose]: () => {
      process.off('SIGTSTP', onStop);
      process.off('SIGCONT', resume);
    },
  };
}
