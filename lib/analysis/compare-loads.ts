/** Load runs before and after a change, each side as often as its user ran it, compared as one cell. */
import { z } from 'zod';
import { environmentSchema } from '../records/environment.ts';
import { percentileMinimums } from '../records/histogram.ts';
import { type LatencySummary, loadSummarySchema } from '../records/load.ts';
import { failedRequests } from '../records/load-outcomes.ts';
import { summarize } from '../stats/summary.ts';
import {
  type ComparisonSettings,
  differingFacts,
  distinctText,
  type Facts,
  leavesOf,
  refusal,
} from './comparison-facts.ts';
import type { ComparisonFact, ComparisonResult } from './comparison-model.ts';
import { judgeCells, type MeasuredCell, overallVerdict } from './comparison-verdict.ts';
import { unpairedRatio } from './unpaired-ratio.ts';

export const loadToolSchema = environmentSchema.shape.tool.pick({ version: true, nodeVersion: true });
export const loadHostSchema = environmentSchema.shape.host.pick({
  hostname: true,
  kernel: true,
  architecture: true,
  cpuModel: true,
  cpuCount: true,
});

/** What a comparison reads of the document that `load --json` prints. */
export const loadRunSchema = z.object({
  schemaVersion: z.literal(1),
  kind: z.literal('load'),
  url: z.string(),
  method: z.string(),
  headerNames: z.array(z.string()),
  bodies: z.number(),
  template: z.boolean(),
  socketPath: z.string().nullable(),
  warmupNs: z.number(),
  timeoutNs: z.number(),
  expectStatus: z.array(z.number()).nullable(),
  originAt: z.string(),
  transport: z.record(z.string(), z.unknown()),
  tool: loadToolSchema.optional(),
  host: loadHostSchema.optional(),
  summary: loadSummarySchema,
  warnings: z.array(z.object({ invalidates: z.boolean(), text: z.string() })),
});
export type LoadRun = z.infer<typeof loadRunSchema>;

/** The runs of one side; `path` is the file, or the folder that holds them. Never empty. */
export interface ComparedLoads {
  readonly path: string;
  readonly runs: readonly LoadRun[];
}

const defaultThresholdRatio = 0.03;

/** The server of a branch may listen elsewhere; what it is is not known. */
const notedFacts: ReadonlySet<string> = new Set(['server', 'client', 'kernel', 'Node']);

/** Refused where facts that matter stand against it. With fewer than three runs a side there is no verdict. */
export function compareLoads(
  base: ComparedLoads,
  candidate: ComparedLoads,
  settings: ComparisonSettings,
): ComparisonResult {
  const facts = [
    ...stateFacts(base.runs, candidate.runs),
    ...differingFacts(factsOf(base.runs), factsOf(candidate.runs), (fact) => notedFacts.has(fact)),
  ];
  const isOpen = [...base.runs, ...candidate.runs].some((run) => run.summary.loop.kind !== 'closed');
  const metric = settings.metric ?? (isOpen ? 'p99' : 'throughput');
  const thresholdRatio = settings.thresholdRatio ?? defaultThresholdRatio;
  const result = {
    subject: 'loads',
    base: sourceOf(base),
    candidate: sourceOf(candidate),
    metric,
    thresholdRatio,
    facts,
    onlyInBase: [],
    onlyInCandidate: [],
  } as const;
  const why = refusal(facts, settings);
  if (why !== null) return { ...result, refused: true, cells: [], verdict: null, headline: why };
  const cells = judgeCells([measuredRuns(base.runs, candidate.runs, thresholdRatio)], { metric, thresholdRatio });
  return { ...result, refused: false, cells, ...overallVerdict(cells, { metric, thresholdRatio }) };
}

/** Runs of one side that are not alike show as several values of a fact, which no other side shares by chance. */
function factsOf(runs: readonly LoadRun[]): Facts {
  const facts = new Map<string, string | null>();
  const names = new Set(runs.flatMap((run) => runFacts(run).map(([name]) => name)));
  for (const name of names) {
    const values = runs.map((run) => runFacts(run).find(([fact]) => fact === name)?.[1] ?? 'not known');
    facts.set(name, distinctText(values));
  }
  return facts;
}

function runFacts(run: LoadRun): (readonly [string, string | null])[] {
  const { summary, tool, host } = run;
  const url = new URL(run.url);
  return [
    ['server', run.socketPath ?? url.origin],
    ['path', `${run.method} ${url.pathname}${url.search}`],
    ['headers', [...run.headerNames].sort().join(', ') || 'none'],
    ['bodies', `${run.bodies}${run.template ? ' templates' : ''}`],
    ['expected status', run.expectStatus?.join(', ') ?? '2xx'],
    ...leavesOf('loop', summary.loop),
    ...leavesOf('stop', summary.stop),
    ['warm-up', String(run.warmupNs)],
    ['timeout', String(run.timeoutNs)],
    ...leavesOf('transport', run.transport),
    ['engine', summary.generator.engine],
    ['threads', String(summary.generator.threads)],
    ['tokens', summary.tokens ? 'read' : 'not read'],
    ['client CPU', host ? `${host.cpuModel}, ${host.cpuCount} CPUs` : null],
    ['mpsbench', tool?.version ?? null],
    ['client', host?.hostname ?? null],
    ['kernel', host?.kernel ?? null],
    ['Node', tool?.nodeVersion ?? null],
  ];
}

/** A run with failed requests says nothing of the rest: as in a study, it is void. Unlike runs are no sample. */
function stateFacts(base: readonly LoadRun[], candidate: readonly LoadRun[]): ComparisonFact[] {
  const failures = { base: failuresOf(base), candidate: failuresOf(candidate) };
  const unlike = { base: unlikeFacts(base), candidate: unlikeFacts(candidate) };
  return [
    ...(failures.base === 'none' && failures.candidate === 'none'
      ? []
      : [{ fact: 'failed requests', ...failures, matters: true }]),
    ...(unlike.base === 'none' && unlike.candidate === 'none'
      ? []
      : [{ fact: 'differences within a side', ...unlike, matters: true }]),
  ];
}

function failuresOf(runs: readonly LoadRun[]): string {
  const failed = runs.reduce((sum, run) => sum + failedRequests(run.summary.measurement.outcomes), 0);
  const empty = runs.filter((run) => run.summary.measurement.outcomes.ok === 0).length;
  if (failed === 0 && empty === 0) return 'none';
  return empty > 0 ? `${failed}, and ${empty} of ${runs.length} runs without an ok reply` : String(failed);
}

function unlikeFacts(runs: readonly LoadRun[]): string {
  const [first, ...others] = runs;
  if (!first) return 'none';
  const facts = new Map(runFacts(first));
  const differing = others.flatMap((run) => differingFacts(facts, new Map(runFacts(run)), () => false));
  return distinctText(differing.map(({ fact }) => fact)) ?? 'none';
}

function sourceOf({ path, runs }: ComparedLoads): ComparisonResult['base'] {
  const at = runs.map((run) => run.originAt).sort();
  return { path, name: distinctText(runs.map((run) => run.url)) ?? '', recordedAt: at[0] ?? '' };
}

type Figure = (run: LoadRun) => number | null;

const throughput: Figure = (run) => run.summary.measurement.throughputPerSecond;
const p50: Figure = (run) => percentile(run.summary.measurement.responseTime, 'p50Ns');
const p99: Figure = (run) => percentile(run.summary.measurement.responseTime, 'p99Ns');

/** None that the number of requests does not back. */
function percentile(latency: LatencySummary, name: 'p50Ns' | 'p99Ns'): number | null {
  return latency.count < percentileMinimums[name] ? null : latency[name];
}

function measuredRuns(base: readonly LoadRun[], candidate: readonly LoadRun[], thresholdRatio: number): MeasuredCell {
  const valuesOf = (runs: readonly LoadRun[], figure: Figure): number[] =>
    runs.map(figure).filter((value) => value !== null && value > 0) as number[];
  const ratio = (figure: Figure) => unpairedRatio(valuesOf(base, figure), valuesOf(candidate, figure), thresholdRatio);
  const middle = (runs: readonly LoadRun[], figure: Figure): number | null =>
    summarize(valuesOf(runs, figure))?.median ?? null;
  const side = (runs: readonly LoadRun[]): MeasuredCell['base'] => ({
    count: runs.filter((run) => run.summary.measurement.outcomes.ok > 0).length,
    throughputPerSecond: middle(runs, throughput),
    p50Ns: middle(runs, p50),
    p99Ns: middle(runs, p99),
    deviceUsedBytes: null,
  });
  return {
    name: 'load',
    cell: null,
    base: side(base),
    candidate: side(candidate),
    throughput: ratio(throughput),
    p50: ratio(p50),
    p99: ratio(p99),
    memoryDifferenceBytes: null,
  };
}
