/** One load run with its progress beside it, as the options of load ask for it. */
import { isInterrupted } from '../core/errors.ts';
import { anyEngine, chooseEngine, type EngineWish } from '../load/choose-engine.ts';
import type { LoadHooks } from '../load/engine.ts';
import type { RawFile } from '../load/raw-file.ts';
import { checkSpec, runLoad } from '../load/run-load.ts';
import { endedByTrace } from '../load/trace.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import type { CliContext } from './context.ts';
import type { LoadTitle } from './live/load-frame.ts';
import { intervalLine } from './load-document.ts';
import { type LoadProgressDisplay, loadProgress, progressIntervalNs } from './load-progress.ts';
import { loopText } from './loop-text.ts';
import { type OutputTerminal, outputTerminal } from './terminal.ts';

/** What of the options of load says how a run is followed, and by which engine it is made. */
export interface FollowOptions extends Partial<EngineWish> {
  readonly json?: boolean;
  readonly jsonLines?: boolean;
  readonly quiet?: boolean;
  /** False with --no-color. */
  readonly color: boolean;
}

/** Who interrupts a run is told what was seen until then. */
export async function runFollowed(
  context: CliContext,
  spec: LoadSpec,
  options: FollowOptions,
  raw: RawFile | null,
): Promise<LoadResult> {
  const title = await titleOf(spec, options);
  const quiet = options.quiet === true || options.jsonLines === true;
  using display = await loadProgress(context, title, { quiet, colour: options.color });
  const rows = raw === null ? {} : { onRow: raw.onRow, origin: raw.origin };
  const hooks = { signal: context.signal, ...rows, ...intervalHooks(context, display, options) };
  try {
    return await runLoad(spec, hooks, wishOf(options));
  } catch (thrown) {
    display[Symbol.dispose]();
    const asText = !options.json && !options.jsonLines;
    if (isInterrupted(thrown) && asText && !display.tally.empty) {
      const { interruptedText } = await import('./live/live-view.ts');
      context.out(interruptedText(title, display.tally, terminalNow(options)));
    }
    throw thrown;
  }
}

function wishOf(options: FollowOptions): EngineWish {
  return { ...anyEngine, ...options };
}

async function titleOf(spec: LoadSpec, options: FollowOptions): Promise<LoadTitle> {
  checkSpec(spec);
  const { name } = await chooseEngine(spec.url, wishOf(options));
  return {
    request: `${spec.method} ${spec.url}`,
    shape: `${loopText(spec.loop)} · ${name} engine`,
    warmupNs: spec.warmupNs,
    stop: endedByTrace(spec).stop,
  };
}

function intervalHooks(
  context: CliContext,
  display: LoadProgressDisplay,
  { jsonLines }: FollowOptions,
): Pick<LoadHooks, 'onInterval' | 'reportIntervalNs'> {
  if (jsonLines) return { onInterval: (interval) => context.out(intervalLine(interval)) };
  return { onInterval: display.add, reportIntervalNs: progressIntervalNs };
}

/** Its size may change during a run. */
export function terminalNow(options: FollowOptions): OutputTerminal {
  const terminal = outputTerminal();
  return { ...terminal, colour: terminal.colour && options.color };
}
