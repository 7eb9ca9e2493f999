/** What `compare` is given as paths: two study directories, or load results by file or by folder. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ComparedLoads, compareLoads, type LoadRun, loadRunSchema } from '../analysis/compare-loads.ts';
import { compareStudies } from '../analysis/compare-studies.ts';
import type { ComparisonSettings } from '../analysis/comparison-facts.ts';
import type { ComparisonResult } from '../analysis/comparison-model.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { problemText } from '../records/problem-text.ts';
import { studyFiles } from '../records/study-directory.ts';
import { readStudy } from './study-on-disk.ts';

/**
 * Each path is a study directory, a file with the document of `load --json`, or a folder of such files (every *.json
 * in it). Throws USAGE where the two are of different kinds, STUDY_UNREADABLE or RECORD_SCHEMA_MISMATCH.
 */
export async function comparePaths(
  base: string,
  candidate: string,
  settings: ComparisonSettings,
): Promise<ComparisonResult> {
  const kinds = [await kindOf(base), await kindOf(candidate)] as const;
  if (kinds[0] !== kinds[1]) {
    const what = `${base} is a ${kinds[0]} and ${candidate} is a ${kinds[1]}`;
    throw new MpsbenchError('USAGE', `${what}: name two studies, or load results on both sides`);
  }
  if (kinds[0] === 'study') return compareStudies(await readStudy(base), await readStudy(candidate), settings);
  return compareLoads(await readLoads(base), await readLoads(candidate), settings);
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

async function readLoads(path: string): Promise<ComparedLoads> {
  const isFolder = (await stat(path)).isDirectory();
  const files = isFolder
    ? (await readdir(path))
        .filter(isJson)
        .sort()
        .map((name) => join(path, name))
    : [path];
  const runs: LoadRun[] = [];
  for (const file of files) runs.push(await readLoad(file));
  return { path, runs };
}

async function readLoad(file: string): Promise<LoadRun> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unreadable(file, messageOf(cause), cause);
  });
  try {
    return loadRunSchema.parse(JSON.parse(text));
  } catch (cause) {
    const what = `${file} is not the document of \`mpsbench load --json\`: ${problemText(cause)}`;
    const advice = 'write one with --json (without --json-lines, and at a rate that is not auto)';
    throw new MpsbenchError('RECORD_SCHEMA_MISMATCH', `${what}; ${advice}`, { cause });
  }
}

function unreadable(path: string, why: string, cause?: unknown): MpsbenchError {
  const advice = 'name a study directory, a load result, or a folder of load results';
  return new MpsbenchError('STUDY_UNREADABLE', `cannot compare ${path}: ${why}; ${advice}`, { cause });
}
