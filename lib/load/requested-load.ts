/** A load run for programs that use the package: what is left out of the spec is filled in. */
import type { Origin } from '../core/clock.ts';
import { directTransport, type LoadResult, type LoadSpec, type Transport } from '../records/load.ts';
import type { LoadProgress } from './engine.ts';
import { loadDefaults, runLoad } from './run-load.ts';

type Needed = 'url' | 'loop' | 'stop';

/**
 * Where, how and how long. Left out: method POST with bodies and else GET, no headers, no bodies, no warm-up, timeout
 * 30 s, any 2xx is ok, seed 1, HTTP/1.1 with no proxy and certificates verified, one point of the series per second.
 * All spans are integer nanoseconds.
 */
export type RequestedLoad = Pick<LoadSpec, Needed> &
  Partial<Omit<LoadSpec, Needed | 'transport'>> & { readonly transport?: Partial<Transport> };

export interface RunLoadOptions {
  /** Ends the run, which then rejects with INTERRUPTED. */
  readonly signal?: AbortSignal;
  /** What the run's offsets are counted from; left out = its own start. */
  readonly origin?: Origin;
  /** Called about four times a second. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

export function completeLoad(requested: RequestedLoad): LoadSpec {
  const method = (requested.bodies?.length ?? 0) > 0 ? 'POST' : loadDefaults.method;
  return { ...loadDefaults, method, ...requested, transport: { ...directTransport, ...requested.transport } };
}

/**
 * Runs warm-up and measurement and drains. Failed requests are counted in the result and are no error. Rejects with
 * USAGE on an impossible spec, LOAD_FAILED when no connection could be made, INTERRUPTED on abort.
 */
export function runRequestedLoad(requested: RequestedLoad, options: RunLoadOptions = {}): Promise<LoadResult> {
  const { signal, origin, onProgress } = options;
  return runLoad(completeLoad(requested), {
    signal: signal ?? new AbortController().signal,
    ...(origin ? { origin } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
}
