/** Rebuilds every derived file of a study from its records: summary.json, results.csv, report.md, report.html, figures. */

import { basename } from 'node:path';
import { abRows, type GpuMeans, gpuMeans } from '../analysis/ab-report.ts';
import { type SeriesFigures, type SeriesFiguresOf, seriesFigures } from '../analysis/series-figures.ts';
import { summarizeStudy } from '../analysis/study-summary.ts';
import type { StudySummary } from '../analysis/summary-model.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type StudyPlan, studyPlanSchema } from '../records/plan.ts';
import { problemText } from '../records/problem-text.ts';
import { type StudyDirectory, studyFiles } from '../records/study-directory.ts';
import type { TrialRecord } from '../records/trial.ts';
import { abReportCsv } from './ab-report-csv.ts';
import { resultsCsv } from './csv.ts';
import { type Figure, figuresOf } from './figures.ts';
import { htmlReport } from './html.ts';
import { markdownReport } from './markdown.ts';

/**
 * Reads the records, writes the derived files and returns the summary. The same records give the same bytes. Throws
 * STUDY_UNREADABLE, RECORD_SCHEMA_MISMATCH or OUTPUT_NOT_WRITABLE.
 */
export async function rebuildReport(directory: StudyDirectory): Promise<StudySummary> {
  const summary = await readSummary(directory);
  const figures = figuresOf(summary);
  const linked = figures.map((figure) => ({ path: figurePath(figure), description: figure.description }));
  for (const figure of figures) await directory.writeFile(figurePath(figure), `${figure.svg}\n`);
  const names = figures.map((figure) => basename(figurePath(figure)));
  // A figure of an earlier state would contradict the report beside it.
  await directory.keepOnly(studyFiles.figures, names);
  await directory.writeFile(studyFiles.results, resultsCsv(summary));
  await writeAbReport(directory, summary);
  await directory.writeFile(studyFiles.markdown, markdownReport(summary, linked));
  await directory.writeFile(studyFiles.html, htmlReport(summary, figures));
  await directory.writeFile(studyFiles.summary, `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** For the users of benchmark-ab.py, whose scripts read its columns: beside every study of TorchServe. */
async function writeAbReport(directory: StudyDirectory, summary: StudySummary): Promise<void> {
  const { server, ...plan } = await readStudyPlan(directory);
  if (server.kind !== 'torchserve') return;
  const trials = await directory.readTrials();
  const means = new Map<TrialRecord, GpuMeans>();
  for (const record of trials) {
    const name = record.gpu && record.files.series;
    const series = name ? await directory.readSeries(name) : null;
    if (series) means.set(record, gpuMeans(record, series, plan.gpu.device));
  }
  const rows = abRows({ ...plan, server }, summary, trials, (record) => means.get(record) ?? null);
  await directory.writeFile(studyFiles.abReport, abReportCsv(rows));
}

/** The summary alone; writes nothing. Throws STUDY_UNREADABLE or RECORD_SCHEMA_MISMATCH. */
export async function readSummary(directory: StudyDirectory): Promise<StudySummary> {
  const plan = await readStudyPlan(directory);
  const trials = await directory.readTrials();
  const fromSeries = await readSeriesFigures(directory, trials, plan.gpu.device);
  return summarizeStudy(plan, await directory.readEnvironment(), trials, fromSeries);
}

/** What the series files say, one file in memory at a time. Throws RECORD_SCHEMA_MISMATCH or STUDY_UNREADABLE. */
export async function readSeriesFigures(
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
