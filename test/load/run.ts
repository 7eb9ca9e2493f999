/** Runs a load against a fake server with a spec that says only what a test is about. */
import type { LoadHooks } from '../../lib/load/engine.ts';
import { loadDefaults } from '../../lib/load/run-load.ts';
import { type EngineOptions, undiciEngine } from '../../lib/load/undici-engine.ts';
import type { LoadResult, LoadSpec } from '../../lib/records/load.ts';

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

export function run(
  given: Partial<LoadSpec> & Pick<LoadSpec, 'url' | 'loop' | 'stop'>,
  hooks: Partial<LoadHooks> = {},
  options: Partial<EngineOptions> = {},
): Promise<LoadResult> {
  const signal = new AbortController().signal;
  return undiciEngine(options).run(
    { ...loadDefaults, timeoutNs: 5000 * milli, ...given },
    { signal, origin: null, ...hooks },
  );
}
