/** A study on disk: plan.yaml, environment.json, trials.jsonl, histograms/, series/. Whoever reads it needs no addon. */
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { codeOf, type ErrorCode, MpsbenchError, messageOf } from '../core/errors.ts';
import { makeDirectory } from '../core/make-directory.ts';
import { appendLine } from './append-line.ts';
import { type Environment, environmentSchema } from './environment.ts';
import type { GpuSeries } from './gpu.ts';
import { isLinkToFile, pathInside } from './inside-directory.ts';
import type { EncodedHistograms, LoadSeries } from './load.ts';
import { problemText } from './problem-text.ts';
import { type RecordedSeries, seriesSchemaVersion, trialSeriesSchema } from './series.ts';
import { type TrialRecord, trialRecordSchema } from './trial.ts';

export const studyFiles = {
  plan: 'plan.yaml',
  environment: 'environment.json',
  trials: 'trials.jsonl',
  manifest: 'manifest.json',
  histograms: 'histograms',
  series: 'series',
  logs: 'logs',
  /** Put there by the user: what `mpsbench context --out` writes. */
  context: 'context.json',
  /** Of the copy of a study that an agent runs: whose it is. */
  agent: 'agent.json',
  summary: 'summary.json',
  results: 'results.csv',
  abReport: 'ab_report.csv',
  markdown: 'report.md',
  html: 'report.html',
  figures: 'figures',
} as const;

/** Load and GPU series of one trial on one clock: offsets count from the trial's origin. */
export interface TrialSeries {
  readonly load: LoadSeries;
  readonly gpu: GpuSeries | null;
}

export interface StudyDirectory {
  readonly path: string;
  /** The plan as it was written, complete, in the form a user may run again. */
  readPlan(): Promise<unknown>;
  readEnvironment(): Promise<Environment>;
  writeEnvironment(environment: Environment): Promise<void>;
  readTrials(): Promise<TrialRecord[]>;
  /** One fsynced line; when it returns the trial survives a kill. */
  appendTrial(record: TrialRecord): Promise<void>;
  writeHistograms(trialId: string, attempt: number, histograms: EncodedHistograms): Promise<string>;
  writeSeries(trialId: string, attempt: number, series: TrialSeries): Promise<string>;
  /** `name` is what a trial's record says; null where the file was taken away. Throws RECORD_SCHEMA_MISMATCH. */
  readSeries(name: string): Promise<RecordedSeries | null>;
  /** The document of `mpsbench context`, not validated; null where none was put beside the study. */
  readContextDocument(): Promise<unknown>;
  /** Where the logs of a trial's server go; made when it returns. */
  makeLogDirectory(trialId: string, attempt: number): Promise<string>;
  /** Write-then-rename, so that a reader never sees half a file. `name` is relative to the study directory. */
  writeFile(name: string, content: string): Promise<void>;
  /** Removes every other entry of a folder of derived files; a folder that is not there has none. */
  keepOnly(folder: string, names: readonly string[]): Promise<void>;
}

/** Makes DIR (it must be absent or empty) and writes the plan. Throws OUTPUT_EXISTS or OUTPUT_NOT_WRITABLE. */
export async function createStudyDirectory(path: string, plan: unknown): Promise<StudyDirectory> {
  try {
    makeDirectory(path);
    const present = await readdir(path);
    if (present.length > 0) {
      const advice = present.includes(studyFiles.trials)
        ? `continue it with --resume ${path}`
        : 'name another with --out';
      throw new MpsbenchError('OUTPUT_EXISTS', `output directory ${path} is not empty; ${advice}`);
    }
    await mkdir(join(path, studyFiles.histograms));
    await mkdir(join(path, studyFiles.series));
    await writeDurably(join(path, studyFiles.plan), stringify(plan));
  } catch (cause) {
    throw notWritable(path, cause);
  }
  return studyDirectory(path);
}

/** Opens a study that exists. Throws STUDY_UNREADABLE if DIR is not one. */
export async function openStudyDirectory(path: string): Promise<StudyDirectory> {
  try {
    await access(join(path, studyFiles.plan), constants.R_OK);
  } catch (cause) {
    throw new MpsbenchError(
      'STUDY_UNREADABLE',
      `${path} is not a study: it has no readable ${studyFiles.plan}; name the directory that study wrote`,
      { cause },
    );
  }
  return studyDirectory(path);
}

function studyDirectory(path: string): StudyDirectory {
  const writeJson = async (name: string, value: unknown): Promise<string> => {
    await write(name, `${JSON.stringify(value, replaceArrays)}\n`);
    return name;
  };
  const write = async (name: string, content: string): Promise<void> => {
    try {
      const file = insideOf(path, name);
      makeDirectory(dirname(file));
      await writeDurably(file, content);
    } catch (cause) {
      throw notWritable(join(path, name), cause);
    }
  };
  return {
    path,
    readPlan: async () => parsed(join(path, studyFiles.plan), await readText(path, studyFiles.plan), parse),
    readEnvironment: async () =>
      parsed(join(path, studyFiles.environment), await readText(path, studyFiles.environment), (text) =>
        environmentSchema.parse(JSON.parse(text)),
      ),
    writeEnvironment: (environment) => write(studyFiles.environment, `${JSON.stringify(environment, null, 2)}\n`),
    readTrials: async () => parseTrials(await readText(path, studyFiles.trials, ''), join(path, studyFiles.trials)),
    appendTrial: async (record) => {
      const file = insideOf(path, studyFiles.trials);
      try {
        await appendLine(file, JSON.stringify(record));
      } catch (cause) {
        throw notWritable(file, cause);
      }
    },
    writeHistograms: (trialId, attempt, histograms) =>
      writeJson(join(studyFiles.histograms, `${trialId}-${attempt}.json`), histograms),
    writeSeries: (trialId, attempt, series) =>
      writeJson(join(studyFiles.series, `${trialId}-${attempt}.json`), {
        schemaVersion: seriesSchemaVersion,
        ...series,
      }),
    readSeries: async (name) =>
      parsed(insideOf(path, name, 'RECORD_SCHEMA_MISMATCH'), await readText(path, name, 'null'), (text) =>
        trialSeriesSchema.nullable().parse(JSON.parse(text)),
      ),
    readContextDocument: async () =>
      parsed(join(path, studyFiles.context), await readText(path, studyFiles.context, 'null'), JSON.parse),
    makeLogDirectory: async (trialId, attempt) =>
      makeFolder(insideOf(path, `${studyFiles.logs}/${trialId}-${attempt}`)),
    writeFile: write,
    keepOnly: async (folder, names) => keepOnly(insideOf(path, folder), names),
  };
}

/** Throws for what is not in the directory: it may come from elsewhere, with links in it. */
function insideOf(root: string, name: string, code: ErrorCode = 'OUTPUT_NOT_WRITABLE'): string {
  const path = pathInside(root, name);
  if (path !== null) return path;
  const what = `${join(root, name)} leads out of the study directory ${root} (a symbolic link, or a path upwards)`;
  throw new MpsbenchError(code, `${what}; take it away`);
}

/**
 * Lines of trials.jsonl. A last line that was cut off by a kill is left out: its trial never finished. Any other
 * line that cannot be read throws RECORD_SCHEMA_MISMATCH with its number.
 */
export function parseTrials(text: string, source: string): TrialRecord[] {
  const lines = text.split('\n');
  const tail = lines.pop() ?? '';
  const complete = tail === '' ? lines : [...lines, tail];
  const records: TrialRecord[] = [];
  for (const [index, line] of complete.entries()) {
    if (line.trim() === '') continue;
    try {
      records.push(trialRecordSchema.parse(JSON.parse(line)));
    } catch (cause) {
      if (tail !== '' && index === complete.length - 1) break;
      throw new MpsbenchError(
        'RECORD_SCHEMA_MISMATCH',
        `${source} line ${index + 1} is not a trial record of this version: ${problemText(cause)}; ` +
          'mend or remove that line, or read the study with the version of mpsbench that wrote it',
        { cause },
      );
    }
  }
  return records;
}

function parsed<T>(source: string, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (cause) {
    throw new MpsbenchError(
      'RECORD_SCHEMA_MISMATCH',
      `${source} is not a record of this version: ${problemText(cause)}; ` +
        'read the study with the version of mpsbench that wrote it',
      { cause },
    );
  }
}

/** Typed arrays become plain ones; NaN (no value) becomes null, as JSON has no NaN. */
function replaceArrays(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
}

async function readText(path: string, name: string, fallback?: string): Promise<string> {
  try {
    return await readFile(join(path, name), 'utf8');
  } catch (cause) {
    if (fallback !== undefined && codeOf(cause) === 'ENOENT') return fallback;
    throw new MpsbenchError(
      'STUDY_UNREADABLE',
      `cannot read ${join(path, name)}: ${messageOf(cause)}; name the directory that study wrote`,
      { cause },
    );
  }
}

async function makeFolder(path: string): Promise<string> {
  try {
    makeDirectory(path);
  } catch (cause) {
    throw notWritable(path, cause);
  }
  return path;
}

async function keepOnly(path: string, names: readonly string[]): Promise<void> {
  try {
    const stale = (await readdir(path)).filter((name) => !names.includes(name));
    for (const name of stale) await rm(join(path, name), { recursive: true });
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw notWritable(path, cause);
  }
}

async function writeDurably(path: string, content: string): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    await writeSynced(temporary, content);
    await rename(temporary, path);
  } catch (thrown) {
    // On a full disk half a file would only take the room that the next try needs.
    await rm(temporary, { force: true });
    throw thrown;
  }
}

async function writeSynced(path: string, content: string): Promise<void> {
  if (isLinkToFile(path)) await rm(path);
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EEXIST: 'a file of that name is in the way',
  ENOTDIR: 'a file is in the way',
};

function notWritable(path: string, cause: unknown): unknown {
  if (cause instanceof MpsbenchError) return cause;
  const why = causes[codeOf(cause) ?? ''] ?? messageOf(cause);
  return new MpsbenchError(
    'OUTPUT_NOT_WRITABLE',
    `cannot write ${path}: ${why}; name a directory with room that you may write to with --out`,
    { cause },
  );
}
