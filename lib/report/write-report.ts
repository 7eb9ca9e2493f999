/** Rebuilds every derived file of a study from its records: summary.json, results.csv, report.md, report.html, figures. */
import { basename, dirname } from 'node:path';
import type { StudySummary } from '../analysis/summary-model.ts';
import { type StudyDirectory, studyFiles } from '../records/study-directory.ts';
import { deriveFiles } from './derived-files.ts';

/**
 * Reads the records, writes the derived files and returns the summary. The same records give the same bytes. Throws
 * STUDY_UNREADABLE, RECORD_SCHEMA_MISMATCH or OUTPUT_NOT_WRITABLE.
 */
export async function rebuildReport(directory: StudyDirectory): Promise<StudySummary> {
  const { summary, files } = await deriveFiles(directory);
  const figures = [...files.keys()].filter((name) => dirname(name) === studyFiles.figures);
  // A figure of an earlier state would contradict the report beside it.
  await directory.keepOnly(
    studyFiles.figures,
    figures.map((name) => basename(name)),
  );
  for (const [name, content] of files) await directory.writeFile(name, content);
  return summary;
}
