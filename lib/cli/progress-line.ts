/** One line on stderr that tells what is going on while a command runs. */
import { type Clock, systemClock } from '../core/clock.ts';
import { seconds } from '../core/units.ts';
import type { CliContext } from './context.ts';

/** A log that nobody watches needs no more lines than this. */
const plainInterval = seconds(10);
const fallbackColumns = 80;

export interface LiveStatus {
  /** Shows the text in place of the one before. Call it as often as you like. */
  update(text: string): void;
  /** Writes lines that stay, above the live one. */
  note(text: string): void;
  /** Removes the live line; the next update shows it again. */
  done(): void;
}

/** On a terminal one line is redrawn; elsewhere a plain line appears every ten seconds, the first at once. */
export function liveStatus(context: CliContext, clock: Clock = systemClock): LiveStatus {
  return context.interactive ? redrawnLine(context) : plainLines(context, clock);
}

/** For whoever wants to see nothing. */
export const silentStatus: LiveStatus = { update: () => {}, note: () => {}, done: () => {} };

function redrawnLine(context: CliContext): LiveStatus {
  let shown = '';
  const draw = (text: string): void => {
    // One write, cleared only behind the new text: nothing flickers.
    context.err(`\r${text}\x1b[K`);
    shown = text;
  };
  return {
    update(text) {
      const columns = process.stderr.columns || fallbackColumns;
      const line = text.length < columns ? text : `${text.slice(0, columns - 2)}…`;
      if (line !== shown) draw(line);
    },
    note(text) {
      const line = shown;
      context.err(`\r\x1b[K${text}\n`);
      if (line !== '') draw(line);
    },
    done() {
      if (shown !== '') draw('');
    },
  };
}

function plainLines(context: CliContext, clock: Clock): LiveStatus {
  const origin = clock.origin();
  let nextNs = 0;
  return {
    update(text) {
      const nowNs = clock.offsetNs(origin);
      if (nowNs < nextNs) return;
      nextNs = nowNs + plainInterval;
      context.err(`${text}\n`);
    },
    note: (text) => context.err(`${text}\n`),
    done: () => {},
  };
}
