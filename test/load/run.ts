/** Runs a load against a fake server with a spec that says only what a test is about. */
import type { LoadEngine, LoadHooks } from '../../lib/load/engine.ts';
import { nativeEngine } from '../../lib/load/native-sender.ts';
import { loadDefaults } from '../../lib/load/run-load.ts';
import { undiciEngine } from '../../lib/load/undici-engine.ts';
import { loadAddon } from '../../lib/native/addon.ts';
import { readHistogramLibrary } from '../../lib/records/histogram.ts';
import type { LoadResult, LoadSpec } from '../../lib/records/load.ts';

// The first run of a process would stop the servers here, which share it, for as long as that takes.
readHistogramLibrary();

export const milli = 1e6;

export function closed(concurrency: number): LoadSpec['loop'] {
  return { kind: 'closed', concurrency };
}

export function open(ratePerSecond: number, connections = 50): LoadSpec['loop'] {
  return { kind: 'open', ratePerSecond, arrival: 'constant', connections };
}

export function requests(count: number): LoadSpec['stop'] {
  return { kind: 'requests', requests: count };
}

export function duration(durationMs: number): LoadSpec['stop'] {
  return { kind: 'duration', durationNs: durationMs * milli };
}

export interface RunOptions {
  readonly drainLimitNs?: number;
  readonly threads?: number;
}

export type Run = (
  given: Partial<LoadSpec> & Pick<LoadSpec, 'url' | 'loop' | 'stop'>,
  hooks?: Partial<LoadHooks>,
  options?: RunOptions,
) => Promise<LoadResult>;

/** What every engine must do alike is tested on each of these. */
export const engines: readonly { readonly name: LoadEngine['name']; readonly run: Run }[] = [
  { name: 'undici', run: (given, hooks, options = {}) => runOn(undiciEngine(options), given, hooks) },
  {
    name: 'native',
    run: (given, hooks, options = {}) => runOn(nativeEngine({ addon: loadAddon(), ...options }), given, hooks),
  },
];

/** On the undici engine. */
export const run: Run = (engines[0] as { readonly run: Run }).run;

export function runOn(
  engine: LoadEngine,
  given: Partial<LoadSpec> & Pick<LoadSpec, 'url' | 'loop' | 'stop'>,
  hooks: Partial<LoadHooks> = {},
): Promise<LoadResult> {
  const signal = new AbortController().signal;
  return engine.run({ ...loadDefaults, timeoutNs: 5000 * milli, ...given }, { signal, origin: null, ...hooks });
}
