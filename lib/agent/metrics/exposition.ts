/** A reading of the host in the text format of Prometheus. */
import { Counter, Gauge, type MetricValue, Registry } from 'prom-client';
import type { HostReading } from '../host-reader.ts';
import { type AgentIdentity, agentMetrics } from './agent-metrics.ts';
import { deviceMetrics } from './device-metrics.ts';
import { type LabelledReading, type Labels, labelled, type MetricFamily } from './metric-family.ts';
import { mpsMetrics } from './mps-metrics.ts';
import { processMetrics } from './process-metrics.ts';

export const expositionType = Registry.PROMETHEUS_CONTENT_TYPE;

/** Every metric, in the order in which it is exported. */
export function metricFamilies(agent: AgentIdentity): MetricFamily[] {
  return [...agentMetrics(agent), ...deviceMetrics, ...processMetrics, ...mpsMetrics];
}

/** A registry of its own each time: series of processes and devices that are gone must go too. */
export async function exposition(families: readonly MetricFamily[], reading: HostReading): Promise<string> {
  const registry = new Registry();
  const read = labelled(reading);
  for (const family of families) {
    const metric = family.type === 'gauge' ? new ReadGauge(family, read) : new ReadCounter(family, read);
    registry.registerMetric(metric);
  }
  return await registry.metrics();
}

/** Gives its series as they are. Setting each would hash its labels, which takes longer than everything else. */
class ReadGauge extends Gauge {
  readonly #values: ReadValue[];

  constructor(family: MetricFamily, reading: LabelledReading) {
    super(settingsOf(family));
    this.#values = readValues(family, reading);
  }

  override async get() {
    return { ...(await super.get()), values: this.#values };
  }
}

class ReadCounter extends Counter {
  readonly #values: ReadValue[];

  constructor(family: MetricFamily, reading: LabelledReading) {
    super(settingsOf(family));
    this.#values = readValues(family, reading);
  }

  override async get() {
    return { ...(await super.get()), values: this.#values };
  }
}

/** `sharedLabels` are written out once for all series that carry the same object. */
interface ReadValue extends MetricValue<string> {
  readonly sharedLabels: Labels;
}

const noLabels: Labels = {};

function readValues({ samples }: MetricFamily, reading: LabelledReading): ReadValue[] {
  return samples(reading).flatMap(({ shared = noLabels, own = noLabels, value }) =>
    value === null ? [] : [{ labels: own, sharedLabels: shared, value }],
  );
}

function settingsOf({ name, help, labels }: MetricFamily) {
  return { name, help, labelNames: [...labels], registers: [] };
}
