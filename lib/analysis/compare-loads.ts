/** Load runs before and after a change, each side as often as its user ran it, compared as one cell. */
import { z } from 'zod';
import { percentileMinimums } from '../records/histogram.ts';
import { type LatencySummary, loadSummarySchema } from '../records/load.ts';
import { failedRequests } from '../records/load-outcomes.ts';
import { summarize } from '../stats/summary.ts';
import { type ComparisonSettings, distinctText, leavesOf, refusal } from './comparison-facts.ts';
import type { ComparisonResult } from './comparison-model.ts';
import { judgeCells, type MeasuredCell, overallVerdict } from './comparison-verdict.ts';
import {
  clientFacts,
  limitFacts,
  notedLoadFacts,
  runDifferences,
  sentFacts,
  sentLoadSchema,
  unlessNone,
} from './load-facts.ts';
import { unpairedRatio } from './unpaired-ratio.ts';

/** What a comparison reads of the document that `load --json` prints. */
export const loadRunSchema = sentLoadSchema.extend({
  kind: z.literal('load'),
  originAt: z.string(),
  transport: z.record(z.string(), z.unknown()),
  summary: loadSummarySchema,
  warnings: z.array(z.object({ invalidates: z.boolean(), text: z.string() })),
});
export type LoadRun = z.infer<typeof loadRunSchema>;

/** The runs of one side; `path` is the file, or the folder that holds them. Never empty. */
export interface ComparedLoads {
  readonly path: string;
  readonly runs: readonly LoadRun[];
}

export const defaultLoadThresholdRatio = 0.03;

/** Refused where facts that matter stand against it. With fewer than three runs a side there is no verdict. */
export function compareLoads(
  base: ComparedLoads,
  candidate: ComparedLoads,
  settings: ComparisonSettings,
): ComparisonResult {
  const facts = [
    ...unlessNone('failed requests', { base: failuresOf(base.runs), candidate: failuresOf(candidate.runs) }),
    ...runDifferences(base.runs, candidate.runs, runFacts, notedLoadFacts),
  ];
  const isOpen = [...base.runs, ...candidate.runs].some((run) => run.summary.loop.kind !== 'closed');
  const metric = settings.metric ?? (isOpen ? 'p99' : 'throughput');
  const thresholdRatio = settings.thresholdRatio ?? defaultLoadThresholdRatio;
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

function runFacts(run: LoadRun): (readonly [string, string | null])[] {
  const { summary } = run;
  return [
    ...sentFacts(run),
    ...leavesOf('loop', summary.loop),
    ...leavesOf('stop', summary.stop),
    ...limitFacts(run),
    ['engine', summary.generator.engine],
    ['threads', String(summary.generator.threads)],
    ['tokens', summary.tokens ? 'read' : 'not read'],
    ...clientFacts(run),
  ];
}

/** A run with failed requests says nothing of the rest: as in a study, it is void. */
function failuresOf(runs: readonly LoadRun[]): string {
  const failed = runs.reduce((sum, run) => sum + failedRequests(run.summary.measurement.outcomes), 0);
  const empty = runs.filter((run) => run.summary.measurement.outcomes.ok === 0).length;
  if (failed === 0 && empty === 0) return 'none';
  return empty > 0 ? `${failed}, and ${empty} of ${runs.length} runs without an ok reply` : String(failed);
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
