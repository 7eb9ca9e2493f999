/** What the agent exports of itself: whether and when it could read this host, what it refused and what it dropped. */
import type { HostReading, SourceHealth } from '../host-reader.ts';
import type { MetricFamily, Sample } from './metric-family.ts';

/** What the agent counts from its start. */
export interface AgentCounts {
  /** Code that the client was told -> requests. */
  readonly refused: Map<string, number>;
  streams: number;
  droppedSamples: number;
}

export interface AgentIdentity {
  readonly version: string;
  readonly nodeVersion: string;
  readonly counts: AgentCounts;
}

/** As they are at the time of the scrape. */
export function agentMetrics({ version, nodeVersion, counts }: AgentIdentity): MetricFamily[] {
  const gauge = (name: string, help: string, labels: string[], samples: MetricFamily['samples']): MetricFamily => {
    return { name, help, type: name.endsWith('_total') ? 'counter' : 'gauge', labels, samples };
  };
  return [
    gauge('mpsbench_build_info', 'The agent; always 1.', ['version', 'node'], () => [
      { own: { version, node: nodeVersion }, value: 1 },
    ]),
    gauge('mpsbench_driver_info', 'The driver; always 1.', ['driver', 'cuda', 'nvml'], driverSamples),
    gauge('mpsbench_gpu_up', '1 where the driver could be read, else 0.', [], ({ snapshot }) => [
      { value: Number(snapshot !== null) },
    ]),
    gauge('mpsbench_gpu_unavailable_info', 'Why it could not; always 1.', ['code'], ({ unavailable }) =>
      unavailable ? [{ own: { code: unavailable.code }, value: 1 }] : [],
    ),
    gauge('mpsbench_collection_duration_seconds', 'How long the last reading took.', ['source'], (reading) =>
      ofSources(reading, ({ durationSeconds }) => durationSeconds),
    ),
    gauge('mpsbench_last_success_timestamp_seconds', 'When it was last read, Unix time.', ['source'], (reading) =>
      ofSources(reading, ({ lastSuccessSeconds }) => lastSuccessSeconds),
    ),
    gauge('mpsbench_collection_failures_total', 'Readings that failed.', ['source'], (reading) =>
      ofSources(reading, ({ failures }) => failures),
    ),
    gauge('mpsbench_agent_refused_requests_total', 'Requests refused, by what was told.', ['code'], () =>
      [...counts.refused].map(([code, value]) => ({ own: { code }, value })),
    ),
    gauge('mpsbench_agent_sample_streams', 'Clients of /v1/samples now.', [], () => [{ value: counts.streams }]),
    gauge('mpsbench_agent_dropped_samples_total', 'Samples that a slow client of /v1/samples missed.', [], () => [
      { value: counts.droppedSamples },
    ]),
  ];
}

function driverSamples({ snapshot }: HostReading): Sample[] {
  if (!snapshot) return [];
  const { driverVersion, cudaDriverVersion, nvmlVersion } = snapshot.gpu;
  const own = { driver: driverVersion ?? '', cuda: cudaDriverVersion ?? '', nvml: nvmlVersion ?? '' };
  return [{ own, value: 1 }];
}

function ofSources({ gpuHealth, mpsHealth }: HostReading, value: (health: SourceHealth) => number | null): Sample[] {
  return [
    { own: { source: 'nvml' }, value: value(gpuHealth) },
    { own: { source: 'mps' }, value: value(mpsHealth) },
  ];
}
