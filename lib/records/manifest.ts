/** manifest.json: a digest of each record of a study that ran to its end, by which a changed byte is found. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import { problemText } from './problem-text.ts';
import { type StudyDirectory, studyFiles } from './study-directory.ts';

export const manifestSchemaVersion = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const manifestSchema = z.object({
  schemaVersion: z.literal(manifestSchemaVersion),
  /** Version of mpsbench that wrote it. */
  toolVersion: z.string(),
  /** Ascending by name, relative to the study directory. What `report` derives is not among them. */
  files: z.array(z.object({ name: z.string(), sizeBytes: z.number().int().nonnegative(), sha256 })).readonly(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** What became of a record since the manifest was written. */
export interface RecordCheck {
  readonly name: string;
  /** unexpected: it lies among the records, and the manifest does not know it. */
  readonly state: 'same' | 'changed' | 'missing' | 'unexpected';
  /** Why, for people; null if it is the same. */
  readonly detail: string | null;
}

/** Writes the manifest of the records as they are now. Throws STUDY_UNREADABLE or OUTPUT_NOT_WRITABLE. */
export async function writeManifest(directory: StudyDirectory): Promise<void> {
  const files = await factsOf(directory.path, await recordNames(directory.path));
  const manifest: Manifest = { schemaVersion: manifestSchemaVersion, toolVersion: packageVersion(), files };
  await directory.writeFile(studyFiles.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Every record as it is now, the manifest included if there is one. Throws STUDY_UNREADABLE. */
export async function recordFacts(path: string): Promise<Manifest['files']> {
  return await factsOf(path, [...(await recordNames(path)), studyFiles.manifest]);
}

async function factsOf(path: string, names: readonly string[]): Promise<Manifest['files'][number][]> {
  const files: Manifest['files'][number][] = [];
  for (const name of names) {
    const content = await bytesOf(path, name);
    if (content) files.push({ name, sizeBytes: content.length, sha256: digest(content) });
  }
  return files;
}

/** Before records are added: a manifest of what was there would call them changed. */
export async function removeManifest(directory: StudyDirectory): Promise<void> {
  await rm(join(directory.path, studyFiles.manifest), { force: true });
}

/** With the digest of the manifest itself; null where the study has none. Throws RECORD_SCHEMA_MISMATCH. */
export async function readManifest(
  path: string,
): Promise<{ readonly manifest: Manifest; readonly sha256: string } | null> {
  const content = await bytesOf(path, studyFiles.manifest);
  if (!content) return null;
  try {
    return { manifest: manifestSchema.parse(JSON.parse(content.toString('utf8'))), sha256: digest(content) };
  } catch (cause) {
    const what = `${join(path, studyFiles.manifest)} is not a manifest of this version: ${problemText(cause)}`;
    const advice = 'take the one that was written with the study, or remove it to check the derived files alone';
    throw new MpsbenchError('RECORD_SCHEMA_MISMATCH', `${what}; ${advice}`, { cause });
  }
}

/** Every record that the manifest names or that lies among the records, by name. Throws STUDY_UNREADABLE. */
export async function checkRecords(path: string, manifest: Manifest): Promise<RecordCheck[]> {
  const known = new Map(manifest.files.map((file) => [file.name, file]));
  const names = [...new Set([...known.keys(), ...(await recordNames(path))])].sort();
  const checks: RecordCheck[] = [];
  for (const name of names) checks.push(checkOf(name, known.get(name), await bytesOf(path, name)));
  return checks;
}

function checkOf(name: string, known: Manifest['files'][number] | undefined, content: Buffer | null): RecordCheck {
  if (!content) return { name, state: 'missing', detail: 'the study had it when it ended' };
  if (!known) return { name, state: 'unexpected', detail: 'the study did not have it when it ended' };
  if (content.length !== known.sizeBytes) {
    return { name, state: 'changed', detail: `${content.length} bytes, and ${known.sizeBytes} when the study ended` };
  }
  if (digest(content) === known.sha256) return { name, state: 'same', detail: null };
  return { name, state: 'changed', detail: 'as long as when the study ended, with another SHA-256' };
}

/** The files that a study records, ascending. Half a file that a kill left is none. */
async function recordNames(path: string): Promise<string[]> {
  const names: string[] = [studyFiles.plan, studyFiles.environment, studyFiles.trials];
  for (const folder of [studyFiles.histograms, studyFiles.series]) {
    try {
      names.push(...(await readdir(join(path, folder))).map((name) => `${folder}/${name}`));
    } catch (cause) {
      if (codeOf(cause) !== 'ENOENT') throw unreadable(join(path, folder), cause);
    }
  }
  const present: string[] = [];
  for (const name of names.filter((one) => !one.endsWith('.partial'))) {
    const status = await stat(join(path, name)).catch(() => null);
    if (status?.isFile()) present.push(name);
  }
  return present.sort();
}

async function bytesOf(path: string, name: string): Promise<Buffer | null> {
  try {
    return await readFile(join(path, name));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw unreadable(join(path, name), cause);
  }
}

function unreadable(path: string, cause: unknown): MpsbenchError {
  const advice = 'name the directory that study wrote, with permission to read it';
  return new MpsbenchError('STUDY_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}; ${advice}`, { cause });
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
