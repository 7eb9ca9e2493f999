/** A load run for programs that use the package: what is left out of the spec is filled in. */
import type { Origin } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type LoadResult, type LoadSpec, loopSchema, stopSchema } from '../records/load.ts';
import { problemText } from '../records/problem-text.ts';
import { directTransport, type Transport } from '../records/transport.ts';
import type { LoadProgress } from './engine.ts';
import type { LoadInterval } from './load-interval.ts';
import { LoadRun } from './load-run.ts';
import { createRawFile } from './raw-file.ts';
import type { RequestRow, RowSink } from './request-row.ts';
import { checkSpec, loadDefaults, runLoad } from './run-load.ts';

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
  /** Called for each request once it has ended; the object is filled anew for the next. */
  readonly onRow?: RowSink;
  /** Arrow IPC file to write with a row for each request; it must not exist. */
  readonly rawFile?: string;
  /** Called about four times a second. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

export function completeLoad(requested: RequestedLoad): LoadSpec {
  const method = (requested.bodies?.length ?? 0) > 0 ? 'POST' : loadDefaults.method;
  return { ...loadDefaults, method, ...requested, transport: { ...directTransport, ...requested.transport } };
}

/**
 * Runs warm-up and measurement and drains. Await it for the result; iterate it for a report of each `intervalNs`.
 * Failed requests are counted in the result and are no error. Rejects with USAGE on an impossible spec, LOAD_FAILED
 * when no connection could be made, INTERRUPTED on abort, OUTPUT_EXISTS or OUTPUT_NOT_WRITABLE for the raw file, which
 * an interrupted run leaves readable with the rows so far.
 */
export function runRequestedLoad(requested: RequestedLoad, options: RunLoadOptions = {}): LoadRun {
  const { signal } = options;
  const own = new AbortController();
  const passOn = (): void => own.abort();
  const start = async (onInterval: (interval: LoadInterval) => void): Promise<LoadResult> => {
    if (signal?.aborted) own.abort();
    signal?.addEventListener('abort', passOn, { once: true });
    try {
      return await run(requested, { ...options, signal: own.signal }, onInterval);
    } finally {
      signal?.removeEventListener('abort', passOn);
    }
  };
  return new LoadRun(start, passOn);
}

async function run(
  requested: RequestedLoad,
  { signal, origin, onProgress, onRow, rawFile }: RunLoadOptions & { readonly signal: AbortSignal },
  onInterval: (interval: LoadInterval) => void,
): Promise<LoadResult> {
  const spec = completeLoad(requested);
  checkShape('loop', loopSchema.safeParse(spec.loop));
  checkShape('stop', stopSchema.safeParse(spec.stop));
  checkSpec(spec);
  await using raw = rawFile === undefined ? null : await createRawFile(rawFile, spec, origin ? { origin } : {});
  const rowSinks = [onRow, raw?.onRow].filter((sink) => sink !== undefined);
  const start = origin ?? raw?.origin;
  const result = await runLoad(spec, {
    signal,
    onInterval,
    ...(start ? { origin: start } : {}),
    ...(onProgress ? { onProgress } : {}),
    ...(rowSinks.length > 0 ? { onRow: (row) => tell(rowSinks, row) } : {}),
  });
  await raw?.finish();
  return result;
}

/** A caller without types can hand over anything. */
function checkShape(name: string, { error }: { readonly error?: unknown }): void {
  if (error === undefined) return;
  throw new MpsbenchError('USAGE', `${name} is not possible: ${problemText(error)}; see LoadSpec for its fields`);
}

function tell(sinks: readonly RowSink[], row: RequestRow): void {
  for (const sink of sinks) sink(row);
}
