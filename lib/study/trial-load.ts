/** The load of a trial, from the plan, the cell and what the server of the trial takes. */
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import type { Cell } from '../records/arm.ts';
import type { LoadSpec, Loop } from '../records/load.ts';
import { defaultMeasurementNs, type StudyPlan } from '../records/plan.ts';
import { directTransport } from '../records/transport.ts';
import { longestWarmupNs } from '../records/warmup-value.ts';
import type { RunningServer } from '../server/adapter.ts';
import type { ScheduledTrial } from './order.ts';
import type { TrialContext } from './trial-context.ts';

/** The load of a cell is the same in every arm: it depends on workers and batch size alone (method R1). */
function loopOf(plan: StudyPlan, { workers, batchSize }: Cell): Loop {
  const { concurrency, ratePerSecond, arrival } = plan.load;
  if (ratePerSecond !== undefined) {
    return { kind: 'open', ratePerSecond, arrival, connections: concurrency === 'auto' ? 1000 : concurrency };
  }
  return { kind: 'closed', concurrency: concurrency === 'auto' ? Math.max(4, 2 * workers * batchSize) : concurrency };
}

/** What is sent in a trial. */
export function loadSpec(trial: ScheduledTrial, { plan, bodies }: TrialContext, server: RunningServer): LoadSpec {
  return {
    url: server.request.url,
    ...(server.request.endpoints ? { endpoints: server.request.endpoints } : {}),
    method: server.request.method,
    headers: server.request.headers,
    bodies: bodies.length > 0 ? bodies : server.sampleBodies,
    template: false,
    socketPath: null,
    transport: directTransport,
    loop: loopOf(plan, trial.cell),
    ...(server.request.stream && { stream: server.request.stream }),
    warmupNs: longestWarmupNs(plan.load.warmup),
    ...(typeof plan.load.warmup !== 'number' && { steady: plan.load.warmup }),
    stop:
      plan.load.requests === undefined
        ? { kind: 'duration', durationNs: plan.load.duration ?? defaultMeasurementNs }
        : { kind: 'requests', requests: plan.load.requests },
    timeoutNs: plan.load.timeout,
    expectStatus: null,
    // The same bodies in the same order in every arm of a block.
    seed: plan.seed + trial.block,
    // Fine enough for throughput to be seen beside the samples of the GPU.
    intervalNs: seconds(0.25),
  };
}

/** How long samples may be taken; the rows are reserved for it. A run by requests is given an hour. */
export function longestLoad(spec: LoadSpec): Nanoseconds {
  const measurementNs = spec.stop.kind === 'duration' ? spec.stop.durationNs : seconds(3600);
  return ns(spec.warmupNs + measurementNs + spec.timeoutNs);
}
