/** Every file that follows from the records of a study, as text: the same records give the same bytes. */

import { abRows, type GpuMeans, gpuMeans } from '../analysis/ab-report.ts';
import { type OtherChoice, summarizeAfterwards } from '../analysis/choice-afterwards.ts';
import { type LedgerContext, ledgerContextSchema, withContextDocument } from '../analysis/context-document.ts';
import { type SeriesFigures, type SeriesFiguresOf, seriesFigures } from '../analysis/series-figures.ts';
import { summarizeStudy } from '../analysis/study-summary.ts';
import type { StudySummary } from '../analysis/summary-model.ts';
import { MpsbenchError } from '../core/errors.ts';
import type { Environment } from '../records/environment.ts';
import { type StudyPlan, studyPlanSchema } from '../records/plan.ts';
import { problemText } from '../records/problem-text.ts';
import { type StudyDirectory, studyFiles } from '../records/study-directory.ts';
import type { TrialRecord } from '../records/trial.ts';
import { abReportCsv } from './ab-report-csv.ts';
import { resultsCsv } from './csv.ts';
import { type Figure, figuresOf } from './figures.ts';
import { htmlReport } from './html.ts';
import { markdownReport } from './markdown.ts';

export interface DerivedFiles {
  readonly summary: StudySummary;
  /** Name below the study directory -> content; the summary, which says that all is there, comes last. */
  readonly files: ReadonlyMap<string, string>;
}

/** Reads the records and writes nothing; with `other` the choice is by that. Throws STUDY_UNREADABLE or RECORD_SCHEMA_MISMATCH. */
export async function deriveFiles(directory: StudyDirectory, other: OtherChoice | null = null): Promise<DerivedFiles> {
  const summary = await readSummary(directory, other);
  const figures = figuresOf(summary);
  const linked = figures.map((figure) => ({ path: figurePath(figure), description: figure.description }));
  const abReport = await abReportOf(directory, summary);
  const files = new Map<string, string>([
    ...figures.map((figure) => [figurePath(figure), `${figure.svg}\n`] as const),
    [studyFiles.results, resultsCsv(summary)],
    ...(abReport === null ? [] : [[studyFiles.abReport, abReport] as const]),
    [studyFiles.markdown, markdownReport(summary, linked)],
    [studyFiles.html, htmlReport(summary, figures)],
    [studyFiles.summary, `${JSON.stringify(summary, null, 2)}\n`],
  ]);
  return { summary, files };
}

/** For the users of benchmark-ab.py, whose scripts read its columns: beside every study of TorchServe, else null. */
async function abReportOf(directory: StudyDirectory, summary: StudySummary): Promise<string | null> {
  const { server, ...plan } = await readStudyPlan(directory);
  if (server.kind !== 'torchserve') return null;
  const trials = await directory.readTrials();
  const means = new Map<TrialRecord, GpuMeans>();
  for (const record of trials) {
    const name = record.gpu && record.files.series;
    const series = name ? await directory.readSeries(name) : null;
    if (series) means.set(record, gpuMeans(record, series, plan.gpu.device));
  }
  return abReportCsv(abRows({ ...plan, server }, summary, trials, (record) => means.get(record) ?? null));
}

/** The summary alone; writes nothing. Throws STUDY_UNREADABLE or RECORD_SCHEMA_MISMATCH. */
export async function readSummary(directory: StudyDirectory, other: OtherChoice | null = null): Promise<StudySummary> {
  const plan = await readStudyPlan(directory);
  return summaryOf(directory, plan, await directory.readEnvironment(), await directory.readTrials(), other);
}

/** The summary of records that were read, with what lies beside them. Throws as readSummary. */
export async function summaryOf(
  directory: StudyDirectory,
  plan: StudyPlan,
  environment: Environment,
  trials: readonly TrialRecord[],
  other: OtherChoice | null = null,
): Promise<StudySummary> {
  const fromSeries = await readSeriesFigures(directory, trials, plan.gpu.device);
  const context = await readContext(directory);
  const complete = withContextDocument(environment, context);
  if (other !== null) return summarizeAfterwards(plan, complete, trials, fromSeries, other);
  return summarizeStudy(plan, complete, trials, fromSeries);
}

async function readContext(directory: StudyDirectory): Promise<LedgerContext | null> {
  const found = ledgerContextSchema.nullable().safeParse(await directory.readContextDocument());
  if (found.success) return found.data;
  throw new MpsbenchError(
    'RECORD_SCHEMA_MISMATCH',
    `${directory.path}/${studyFiles.context} is not a document of this version's mpsbench context: ` +
      `${problemText(found.error)}; write it anew with mpsbench context --out, or take it away`,
    { cause: found.error },
  );
}

/** What the series files say, one file in memory at a time. Throws RECORD_SCHEMA_MISMATCH or STUDY_UNREADABLE. */
async function readSeriesFigures(
  directory: StudyDirectory,
  trials: readonly TrialRecord[],
  device: string | null,
): Promise<SeriesFiguresOf> {
  const known = new Map<TrialRecord, SeriesFigures>();
  for (const record of trials) {
    const series = record.files.series === null ? null : await directory.readSeries(record.files.series);
    known.set(record, seriesFigures(record, series, device));
  }
  return (record) => known.get(record) ?? null;
}

/** The plan of a study, complete. Throws STUDY_UNREADABLE or RECORD_SCHEMA_MISMATCH. */
export async function readStudyPlan(directory: StudyDirectory): Promise<StudyPlan> {
  const plan = studyPlanSchema.safeParse(await directory.readPlan());
  if (plan.success) return plan.data;
  throw new MpsbenchError(
    'RECORD_SCHEMA_MISMATCH',
    `${directory.path}/${studyFiles.plan} is not a plan of this version: ${problemText(plan.error)}; ` +
      'read the study with the version of mpsbench that wrote it',
    { cause: plan.error },
  );
}

function figurePath(figure: Figure): string {
  return `${studyFiles.figures}/${figure.name}.svg`;
}
