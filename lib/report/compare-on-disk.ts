/** What `compare` is given as paths: two study directories, or load results by file or by folder. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { compareLoads, loadRunSchema } from '../analysis/compare-loads.ts';
import { compareRateSearches, searchRunSchema } from '../analysis/compare-rate-searches.ts';
import { compareStudies } from '../analysis/compare-studies.ts';
import type { ComparisonSettings } from '../analysis/comparison-facts.ts';
import type { ComparisonMetric, ComparisonResult } from '../analysis/comparison-model.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { problemText } from '../records/problem-text.ts';
import { studyFiles } from '../records/study-directory.ts';
import { readStudy } from './study-on-disk.ts';

/** All may be left out. */
export interface CompareOptions {
  /** What the verdict is on; else throughput, or p99 where the rate was given. Not of searches for the highest rate. */
  readonly metric?: ComparisonMetric | undefined;
  /** Change that matters, 0.03 = 3 %; else that of the base's plan, and 0.03 of load results. */
  readonly thresholdRatio?: number | undefined;
  /** Facts that may differ though they matter, by the names under `facts`; 'all' = whatever differs. */
  readonly allow?: readonly string[] | 'all' | undefined;
}

/**
 * Each path is a study directory, a file with the document of `load --json`, or a folder of such files (every *.json
 * in it). Throws USAGE where the two are of different kinds, STUDY_UNREADABLE or RECORD_SCHEMA_MISMATCH.
 */
export async function comparePaths(
  base: string,
  candidate: string,
  options: CompareOptions,
): Promise<ComparisonResult> {
  const kinds = [await kindOf(base), await kindOf(candidate)] as const;
  if (kinds[0] !== kinds[1]) {
    const what = `${base} is a ${kinds[0]} and ${candidate} is a ${kinds[1]}`;
    throw new MpsbenchError('USAGE', `${what}: name two studies, or load results on both sides`);
  }
  const compare = kinds[0] === 'study' ? compareStudyDirectories : compareLoadFiles;
  return await compare(base, candidate, options);
}

/**
 * Two study directories, cell by cell. What differs is in `facts`; where that stands against it, `refused` is true and
 * nothing is compared. Writes nothing, needs no GPU and no addon. Rejects with STUDY_UNREADABLE or
 * RECORD_SCHEMA_MISMATCH, and with USAGE on a threshold that is none.
 */
export async function compareStudyDirectories(
  base: string,
  candidate: string,
  options: CompareOptions = {},
): Promise<ComparisonResult> {
  const settings = settingsOf(options);
  return compareStudies(await readStudy(base), await readStudy(candidate), settings);
}

/**
 * What `load --json` wrote, of one rate or (both sides) of searches for the highest: each side a file, or a folder whose
 * *.json are its runs. Otherwise as for studies; USAGE also where the two sides are of different kinds.
 */
export async function compareLoadFiles(
  base: string,
  candidate: string,
  options: CompareOptions = {},
): Promise<ComparisonResult> {
  const settings = settingsOf(options);
  const [before, after] = [await readDocuments(base), await readDocuments(candidate)];
  if (before.kind === 'load' && after.kind === 'load') return compareLoads(before, after, settings);
  if (before.kind !== 'rate-search' || after.kind !== 'rate-search') {
    const what = `of ${base} and ${candidate} one is a search for the highest rate and the other is not`;
    throw new MpsbenchError('USAGE', `${what}: name searches on both sides, or on neither`);
  }
  if (options.metric === undefined) return compareRateSearches(before, after, settings);
  const what = `searches for the highest rate are compared by that rate, not by ${options.metric}`;
  throw new MpsbenchError('USAGE', `${what}: leave the metric out`);
}

function settingsOf({ metric, thresholdRatio, allow = [] }: CompareOptions): ComparisonSettings {
  if (thresholdRatio === undefined || (thresholdRatio >= 0 && thresholdRatio < 1)) {
    return { metric, thresholdRatio, allowed: allow };
  }
  const what = `a comparison has no threshold of ${thresholdRatio}`;
  throw new MpsbenchError('USAGE', `${what}: give a share from 0 to below 1, such as 0.03`);
}

async function kindOf(path: string): Promise<'study' | 'load result'> {
  try {
    if (!(await stat(path)).isDirectory()) return 'load result';
    const names = await readdir(path);
    if (names.includes(studyFiles.plan)) return 'study';
    if (names.some(isJson)) return 'load result';
  } catch (cause) {
    throw unreadable(path, messageOf(cause), cause);
  }
  throw unreadable(path, `there is neither a ${studyFiles.plan} nor a .json file in it`);
}

function isJson(name: string): boolean {
  return name.endsWith('.json');
}

const documentSchema = z.discriminatedUnion('kind', [loadRunSchema, searchRunSchema]);
type Document = z.infer<typeof documentSchema>;
type Documents<Kind extends Document['kind']> = {
  readonly kind: Kind;
  readonly path: string;
  readonly runs: readonly Extract<Document, { kind: Kind }>[];
};

async function readDocuments(path: string): Promise<Documents<'load'> | Documents<'rate-search'>> {
  const files = await filesOf(path);
  const runs: Document[] = [];
  for (const file of files) runs.push(await readDocument(file));
  if (runs.length === 0) throw unreadable(path, 'there is no .json file in it');
  const loads = runs.filter((run) => run.kind === 'load');
  const searches = runs.filter((run) => run.kind === 'rate-search');
  if (searches.length === 0) return { kind: 'load', path, runs: loads };
  if (loads.length === 0) return { kind: 'rate-search', path, runs: searches };
  throw unreadable(path, 'some of its files are searches for the highest rate and others are not');
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter(isJson).sort();
    return names.map((name) => join(path, name));
  } catch (cause) {
    throw unreadable(path, messageOf(cause), cause);
  }
}

async function readDocument(file: string): Promise<Document> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unreadable(file, messageOf(cause), cause);
  });
  try {
    return documentSchema.parse(JSON.parse(text));
  } catch (cause) {
    const what = `${file} is not the document of \`mpsbench load --json\`: ${problemText(cause)}`;
    throw new MpsbenchError('RECORD_SCHEMA_MISMATCH', `${what}; write one with --json, without --json-lines`, {
      cause,
    });
  }
}

function unreadable(path: string, why: string, cause?: unknown): MpsbenchError {
  const advice = 'name a study directory, a load result, or a folder of load results';
  return new MpsbenchError('STUDY_UNREADABLE', `cannot compare ${path}: ${why}; ${advice}`, { cause });
}
