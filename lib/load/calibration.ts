/** How much load the generator could make: the same requests against a server that answers at once. */
import type { EmergencyStops } from '../core/emergency.ts';
import { MpsbenchError } from '../core/errors.ts';
import { milliseconds, ns, seconds } from '../core/units.ts';
import type { Calibration, CalibrationSubject } from '../records/headroom.ts';
import type { LoadSpec, LoadSummary } from '../records/load.ts';
import { directTransport } from '../records/transport.ts';
import { chooseEngine, type EngineWish } from './choose-engine.ts';
import { startNullServer } from './null-server.ts';
import { requestBytes } from './request-bytes.ts';

/** A ceiling is compared with a factor of two: half of the measured window tells it, and no more than a second does. */
const window = { leastNs: milliseconds(250), mostNs: seconds(1), ofMeasurementRatio: 0.5, warmupRatio: 0.3 } as const;

export interface CalibrationOptions {
  readonly signal: AbortSignal;
  readonly emergency?: EmergencyStops;
  /** Of the measured run; engine and threads are those that it had. */
  readonly wish: EngineWish;
  /** Starts the null server where the measured server runs; left out = anywhere. */
  readonly onServerCpus?: <T>(start: () => Promise<T>) => Promise<T>;
}

/** What a measured run's ceiling depends on. */
export function calibrationSubject(
  spec: LoadSpec,
  { generator, measurement }: LoadSummary,
  clientCpus: string | null,
): CalibrationSubject {
  const { heads, bodies } = requestBytes(spec);
  const sum = [...heads, ...bodies].reduce((bytes, part) => bytes + part.byteLength, 0);
  const replies = Object.values(measurement.statuses).reduce((count, more) => count + more, 0);
  return {
    engine: generator.engine,
    threads: generator.threads,
    connections: spec.loop.kind === 'closed' ? spec.loop.concurrency : spec.loop.connections,
    method: spec.method,
    requestBytes: Math.round(sum / heads.length),
    responseBytes: stepUp(replies === 0 ? 0 : measurement.responseBytes / replies),
    clientCpus,
  };
}

/**
 * A short closed loop. Throws NOT_SUPPORTED_HERE for a URL that the null server cannot stand in for, and ADDON_MISSING,
 * LOAD_FAILED or INTERRUPTED.
 */
export async function calibrate(
  spec: LoadSpec,
  subject: CalibrationSubject,
  measuredNs: number,
  options: CalibrationOptions,
): Promise<Calibration> {
  const { protocol } = new URL(spec.url);
  if (protocol !== 'http:') {
    const what = `the null server speaks plain HTTP, so the ceiling of ${protocol} is not known`;
    throw new MpsbenchError('NOT_SUPPORTED_HERE', `${what}: calibrate over http:// to see what TLS leaves aside`);
  }
  const { wish, onServerCpus, ...starting } = options;
  const { responseBytes, threads, engine } = subject;
  const start = () => startNullServer({ responseBytes, threads, ...starting });
  await using server = await (onServerCpus ? onServerCpus(start) : start());
  const durationNs = ns(Math.min(window.mostNs, Math.max(window.leastNs, window.ofMeasurementRatio * measuredNs)));
  const against = againstNullServer(spec, server.port, durationNs);
  const recordedAt = new Date().toISOString();
  const run = await (await chooseEngine(against, { ...wish, engine, threads })).run(against, {
    signal: options.signal,
    origin: null,
  });
  const { generator, measurement } = run.summary;
  if (measurement.outcomes.ok === 0) throw new MpsbenchError('LOAD_FAILED', 'the null server answered nothing');
  return {
    recordedAt,
    subject,
    durationNs,
    ceilingPerSecond: measurement.throughputPerSecond,
    cpuPerRequestNs: generator.cpuPerRequestNs,
  };
}

/** The same bytes go over the wire: the name of the measured host stays in the head. */
function againstNullServer(spec: LoadSpec, port: number, durationNs: number): LoadSpec {
  const { host, pathname, search } = new URL(spec.url);
  const names = Object.keys(spec.headers).map((name) => name.toLowerCase());
  // The null server sends no events; what reading them costs is not in the ceiling.
  const { traceNs: _trace, endpoints: _endpoints, stream: _stream, ...rest } = spec;
  return {
    ...rest,
    socketPath: null,
    transport: directTransport,
    url: `http://127.0.0.1:${port}${pathname}${search}`,
    headers: names.includes('host') ? spec.headers : { host, ...spec.headers },
    loop: { kind: 'closed', concurrency: spec.loop.kind === 'closed' ? spec.loop.concurrency : spec.loop.connections },
    warmupNs: Math.round(window.warmupRatio * durationNs),
    stop: { kind: 'duration', durationNs },
    expectStatus: null,
    intervalNs: durationNs,
  };
}

/** Sizes that differ by a few bytes from trial to trial share a ceiling. */
function stepUp(meanBytes: number): number {
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(Math.max(1, meanBytes))) - 2));
  return Math.ceil(meanBytes / step) * step;
}
