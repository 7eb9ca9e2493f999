/** A program that uses the whole public API, for the compiler alone: compiled in a project without our devDependencies. */
import {
  armEnvironment,
  bareContextBytes,
  type ComparisonResult,
  compareLoads,
  compareStudies,
  type GpuSnapshot,
  type IntervalReport,
  type LatencyHistogram,
  type LoadResult,
  type LoadRun,
  MpsbenchError,
  MpsDaemon,
  measureContextCost,
  openGpu,
  parseArm,
  probeContext,
  type RequestedPlan,
  readStudy,
  rebuildReport,
  resumeStudy,
  runLoad,
  runStudy,
  type StudySummary,
  studyPlanSchema,
  studySummarySchema,
  type TrialRecord,
  tryOpenGpu,
  verifyStudy,
} from 'mpsbench';

export function facts(): GpuSnapshot | string {
  const access = tryOpenGpu();
  if ('unavailable' in access) return `${access.unavailable.code}: ${access.unavailable.message}`;
  using session = access.session;
  using sampling = session.sample({ periodMs: 20, maxDurationMs: 1000 });
  const columns: Float64Array[] = sampling.stop().series.devices.map((device) => device.memoryUsedBytes);
  return columns.length > 0 ? session.snapshot({ withEnergy: true }) : openGpu({ nvmlPath: null }).snapshot();
}

export async function load(signal: AbortSignal): Promise<LoadResult> {
  const stop = { kind: 'duration', durationNs: 1e9 } as const;
  return await runLoad({ url: 'http://127.0.0.1:8080', loop: { kind: 'closed', concurrency: 4 }, stop }, { signal });
}

export async function firstSecond(): Promise<IntervalReport | null> {
  const stop = { kind: 'requests', requests: 100 } as const;
  const run: LoadRun = runLoad({ url: 'http://127.0.0.1:8080', loop: { kind: 'closed', concurrency: 4 }, stop });
  const result: Promise<LoadResult> = run;
  for await (const report of run) {
    run.abort();
    await result.catch(() => null);
    return report;
  }
  return null;
}

export async function study(signal: AbortSignal): Promise<readonly TrialRecord[]> {
  const plan: RequestedPlan = { workers: [1, 2], arms: ['off', 'mps:50'], load: { duration: '10s' } };
  const { directory } = await runStudy(plan, { out: 'study', signal, onTrial: ({ trialId }) => trialId });
  const summary: StudySummary = await rebuildReport(directory);
  const complete = summary.complete ? summary : (await resumeStudy(directory)).summary;
  const unknown: number | null = complete.cells[0]?.memory.perWorkerBytes?.median ?? null;
  return unknown === null ? [] : (await readStudy(directory)).trials;
}

export async function share(): Promise<number | null> {
  await using daemon = await MpsDaemon.start({ deviceUuid: 'GPU-0' });
  const { set } = armEnvironment(parseArm('mps:50'), daemon);
  return (await probeContext({ environment: set })).multiprocessorCount;
}

export async function bareContext(signal: AbortSignal): Promise<number | null> {
  const cost = await measureContextCost({ arms: ['off', 'mps:50'], clientCounts: [1, 2] }, { signal });
  return bareContextBytes(cost).get('mps:50')?.processBytes ?? cost.summary.arms[0]?.perClient?.bytes ?? null;
}

export async function changed(base: string, candidate: string): Promise<string> {
  const { intact, files } = await verifyStudy(base);
  if (!intact) return files.find(({ state }) => state !== 'same')?.name ?? 'not readable';
  const loads: ComparisonResult = await compareLoads('before.json', 'after.json', { metric: 'p99', allow: 'all' });
  const studies = await compareStudies(base, candidate, { thresholdRatio: 0.05, allow: ['driver'] });
  const ratio: number | null | undefined = loads.highestRate?.ratio ?? studies.cells[0]?.throughput?.ratio;
  return `${studies.verdict ?? studies.headline} ${ratio}`;
}

export const code: string = new MpsbenchError('USAGE', 'text').code;
export const planSeed: number = studyPlanSchema.parse({}).seed;
export const isSummary = (value: unknown): boolean => studySummarySchema.safeParse(value).success;
export const medianNs = (histogram: LatencyHistogram): number => histogram.getValueAtPercentile(50);
// @ts-expect-error a code that is not in the table
new MpsbenchError('NO_SUCH_CODE', 'text');
// @ts-expect-error a load that has no end
runLoad({ url: 'http://127.0.0.1:8080', loop: { kind: 'closed', concurrency: 4 } });
// @ts-expect-error a study without a place to write to
runStudy({}, {});
// @ts-expect-error a time without its unit
export const bare: RequestedPlan = { load: { duration: 30 } };
