/** What the load engine of the fake parts measures: always the same, 100 requests per second. */
import type { Origin } from '../../lib/core/clock.ts';
import type { Nanoseconds } from '../../lib/core/units.ts';
import type { LatencySummary, LoadResult, LoadSpec, PhaseSummary } from '../../lib/records/load.ts';

export function loadResult(spec: LoadSpec, origin: Origin | null): LoadResult {
  const latency: LatencySummary = {
    count: 100,
    meanNs: 1e6,
    minNs: 1e6,
    p50Ns: 1e6,
    p90Ns: 1e6,
    p99Ns: 1e6,
    p999Ns: 1e6,
    maxNs: 1e6,
  };
  const measurement: PhaseSummary = {
    phase: 'measurement',
    startOffsetNs: 0,
    durationNs: 1e9 as Nanoseconds,
    outcomes: { ok: 100, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 },
    statuses: { 200: 100 },
    throughputPerSecond: 100,
    requestBytes: 100,
    responseBytes: 100,
    responseTime: latency,
    serviceTime: latency,
    lateness: latency,
  };
  const column = new Float64Array([100]);
  return {
    originNs: origin?.originNs ?? 0n,
    originAt: origin?.originAt ?? '',
    summary: {
      loop: spec.loop,
      stop: spec.stop,
      warmup: null,
      measurement,
      generator: {
        engine: 'undici',
        threads: 1,
        inFlightMax: 4,
        littlesLawRatio: 1,
        eventLoopLagP99Ns: 1,
        eventLoopLagMaxNs: 1,
        cpuPerRequestNs: 1,
      },
      errorSamples: {},
    },
    series: { intervalNs: 1e9, ok: column, errors: column, inFlight: column, p50Ns: column, p99Ns: column },
    histograms: {
      schemaVersion: 1,
      unit: 'ns',
      responseTime: '',
      serviceTime: '',
      lateness: '',
      warmupResponseTime: null,
    },
  };
}
