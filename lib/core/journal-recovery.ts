/** Undoes what journals of dead mpsbench processes tell: stops what is provably ours, removes its directories. */
import { lstatSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type JournalEntry, type JournalFile, type JournalFinding, journalDirectory, readJournals } from './journal.ts';
import { stopMpsProcesses } from './mps-processes.ts';
import { bootId, type ProcessIdentity } from './process-identity.ts';

/** Beginning of the name of every private directory of a daemon of ours; nothing else is ever removed. */
export const privateDirectoryPrefix = 'mpsb-';

/** What became of one journal. */
export type Recovery =
  | {
      readonly outcome: 'cleaned' | 'not-cleaned';
      readonly journalPath: string;
      readonly stoppedPids: readonly number[];
      readonly removedDirectories: readonly string[];
      /** What still stands in the way, one line each; empty when cleaned. */
      readonly problems: readonly string[];
    }
  | { readonly outcome: 'owner-alive' | 'elsewhere'; readonly journalPath: string }
  | { readonly outcome: 'unreadable'; readonly journalPath: string; readonly problem: string };

/**
 * Cleans up after mpsbench processes that died without doing so. A journal whose owner lives, that belongs to another
 * host or container, or that cannot be read is left as it is and told. A journal goes only when all of it is undone.
 */
export async function recoverJournal(directory: string = journalDirectory()): Promise<Recovery[]> {
  const recoveries: Recovery[] = [];
  for (const finding of readJournals(directory)) recoveries.push(await recover(finding));
  return recoveries;
}

async function recover(finding: JournalFinding): Promise<Recovery> {
  const journalPath = finding.path;
  if (finding.state === 'unreadable') return { outcome: 'unreadable', journalPath, problem: finding.problem };
  if (finding.state !== 'left-behind') return { outcome: finding.state, journalPath };
  const stoppedPids: number[] = [];
  const removedDirectories: string[] = [];
  const problems: string[] = [];
  for (const entry of finding.file.entries) {
    const { stopped, survivors } = await stopMpsProcesses(entry.pipeDirectory, identitiesIn(finding.file, entry));
    stoppedPids.push(...stopped.map(({ pid }) => pid));
    if (survivors.length > 0) problems.push(`process ${survivors.map(({ pid }) => pid).join(', ')} does not end`);
    else removeOwn(entry.directory, removedDirectories, problems);
  }
  if (problems.length === 0) rmSync(journalPath, { force: true });
  const outcome = problems.length === 0 ? 'cleaned' : 'not-cleaned';
  return { outcome, journalPath, stoppedPids, removedDirectories, problems };
}

/** PIDs and ticks of an earlier boot name nobody now, whatever their numbers. */
function identitiesIn(file: JournalFile, entry: JournalEntry): ProcessIdentity[] {
  if (file.bootId === null || file.bootId !== bootId()) return [];
  return entry.daemon ? [entry.daemon, ...entry.servers] : [...entry.servers];
}

function removeOwn(directory: string, removed: string[], problems: string[]): void {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (!stat) return;
  // The file says what to remove; what it says must look like what mpsbench makes, and be this user's.
  const ours = basename(directory).startsWith(privateDirectoryPrefix) && dirname(directory) !== directory;
  if (!ours || !stat.isDirectory() || stat.uid !== process.getuid?.()) {
    problems.push(`${directory} is not a directory that mpsbench made`);
    return;
  }
  rmSync(directory, { recursive: true, force: true });
  removed.push(directory);
}
