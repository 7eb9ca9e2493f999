/** A study checked against itself: its records against the manifest, its derived files against its records. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import { printable } from '../core/printable.ts';
import { checkRecords, readManifest } from '../records/manifest.ts';
import { openStudyDirectory, type StudyDirectory, studyFiles } from '../records/study-directory.ts';
import { deriveFiles } from './derived-files.ts';

export const checkedFileSchema = z.object({
  /** Relative to the study directory. */
  name: z.string(),
  /** record: checked against manifest.json. derived: made anew from the records and compared. */
  part: z.enum(['record', 'derived']),
  /** unexpected: neither the manifest nor the records know of it. */
  state: z.enum(['same', 'changed', 'missing', 'unexpected']),
  /** Why, for people; null if it is the same. */
  detail: z.string().nullable(),
});
export type CheckedFile = z.infer<typeof checkedFileSchema>;

export const verificationSchema = z.object({
  directory: z.string(),
  /** Every file that could be checked is as it should be, and the derived ones could be made. */
  intact: z.boolean(),
  /** missing: the study did not run to its end, or is of a version without one; records are then not checked. */
  manifest: z.enum(['checked', 'missing']),
  /** Of manifest.json; kept elsewhere it tells whether the manifest itself was changed. Null without one. */
  manifestSha256: z.string().nullable(),
  /** Version that recorded the study; null where the records cannot be read. */
  recordedBy: z.string().nullable(),
  verifiedBy: z.string(),
  /** Why the derived files could not be made from the records; null if they could. */
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  files: z.array(checkedFileSchema).readonly(),
});
export type StudyVerification = z.infer<typeof verificationSchema>;

/** Reads and writes nothing else. Throws STUDY_UNREADABLE if there is no study, RECORD_SCHEMA_MISMATCH for its manifest. */
export async function verifyStudy(path: string): Promise<StudyVerification> {
  const directory = await openStudyDirectory(path);
  const found = await readManifest(path);
  const records = found ? await checkRecords(path, found.manifest) : [];
  const derived = await checkDerived(directory);
  const files = [...records.map((file) => ({ ...file, part: 'record' as const })), ...derived.files];
  return {
    directory: path,
    intact: derived.problem === null && files.every((file) => file.state === 'same'),
    manifest: found ? 'checked' : 'missing',
    manifestSha256: found?.sha256 ?? null,
    recordedBy: derived.recordedBy,
    verifiedBy: packageVersion(),
    problem: derived.problem,
    files,
  };
}

type DerivedCheck = Pick<StudyVerification, 'problem' | 'files' | 'recordedBy'>;

/** Records that cannot be read are a finding like others: which of them was changed is of use then. */
async function checkDerived(directory: StudyDirectory): Promise<DerivedCheck> {
  try {
    const { summary, files } = await deriveFiles(directory);
    const checks: CheckedFile[] = [];
    for (const [name, content] of files) checks.push(await checkContent(directory.path, name, content));
    const strays = await strayFigures(directory.path, new Set(files.keys()));
    return { problem: null, files: [...checks, ...strays], recordedBy: summary.conditions.toolVersion };
  } catch (thrown) {
    if (!(thrown instanceof MpsbenchError)) throw thrown;
    return { problem: { code: thrown.code, message: thrown.message }, files: [], recordedBy: null };
  }
}

async function checkContent(path: string, name: string, expected: string): Promise<CheckedFile> {
  const file = { name, part: 'derived' } as const;
  try {
    const difference = firstDifference(await readFile(join(path, name)), Buffer.from(expected));
    return { ...file, state: difference === null ? 'same' : 'changed', detail: difference };
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return { ...file, state: 'missing', detail: 'the records give one' };
    const what = `cannot read ${join(path, name)}: ${messageOf(cause)}`;
    throw new MpsbenchError('STUDY_UNREADABLE', `${what}; allow reading it`, { cause });
  }
}

/** A figure that no record gives would be taken for one of the study's. */
async function strayFigures(path: string, known: ReadonlySet<string>): Promise<CheckedFile[]> {
  const names = await readdir(join(path, studyFiles.figures)).catch(() => []);
  return names
    .map((name) => `${studyFiles.figures}/${name}`)
    .filter((name) => !known.has(name))
    .sort()
    .map((name) => ({ name, part: 'derived', state: 'unexpected', detail: 'the records give no such file' }));
}

const excerptBytes = 32;

/** Where two files part, with what stands there in each; null if they are the same. */
export function firstDifference(actual: Buffer, expected: Buffer): string | null {
  if (actual.equals(expected)) return null;
  const shorter = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < shorter && actual[at] === expected[at]) at++;
  const line = actual.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
  const excerpt = (content: Buffer): string =>
    at >= content.length ? 'its end' : `'${printable(content.toString('utf8', at, at + excerptBytes))}'`;
  return `line ${line}, byte ${at}: ${excerpt(actual)}, and the records give ${excerpt(expected)}`;
}
