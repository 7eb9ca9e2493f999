/** The driver's copy of the agent's study directory: what is missing or differs is fetched, byte for byte. */
import { createHash } from 'node:crypto';
import { MpsbenchError } from '../core/errors.ts';
import { recordFacts, removeManifest } from '../records/manifest.ts';
import { type StudyDirectory, studyFiles } from '../records/study-directory.ts';
import type { AgentLink } from './agent-link.ts';
import { type FileFact, filesSchema } from './protocol.ts';

/** What a trial's line in trials.jsonl names is there before the line is, and the manifest comes last. */
const rank = (name: string): number => (name === studyFiles.manifest ? 2 : name === studyFiles.trials ? 1 : 0);

/** A trial may end while its predecessors are fetched. */
const attempts = 5;

/** Throws as the link does, OUTPUT_NOT_WRITABLE, or LINK_BROKEN for bytes that came otherwise than they were announced. */
export async function mirrorStudy(link: AgentLink, lease: string, directory: StudyDirectory): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const changed = await mirrorOnce(link, lease, directory);
    if (changed === null) return;
    if (attempt === attempts) throw changedError(changed);
  }
}

/** The file that was written meanwhile; null = all are there. */
async function mirrorOnce(link: AgentLink, lease: string, directory: StudyDirectory): Promise<FileFact | null> {
  const { files } = await link.ask('files', { lease }, filesSchema);
  if (!files.some(({ name }) => name === studyFiles.manifest)) await removeManifest(directory);
  const present = new Map((await recordFacts(directory.path)).map((fact) => [fact.name, fact.sha256]));
  const wanted = files.filter(({ name, sha256 }) => present.get(name) !== sha256);
  for (const file of wanted.sort((a, b) => rank(a.name) - rank(b.name))) {
    const content = await link.fetch('file', { lease, name: file.name });
    if (!isAsAnnounced(file, content)) return file;
    await directory.writeFile(file.name, content.toString('utf8'));
  }
  return null;
}

function isAsAnnounced({ sizeBytes, sha256 }: FileFact, content: Buffer): boolean {
  return content.length === sizeBytes && createHash('sha256').update(content).digest('hex') === sha256;
}

function changedError({ name }: FileFact): MpsbenchError {
  const what = `${name} of the agent's study came otherwise than it was announced`;
  return new MpsbenchError('LINK_BROKEN', `${what}; continue with --resume, which fetches it anew`);
}
