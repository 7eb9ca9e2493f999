/** Undoes what journals of dead mpsbench processes tell: stops what is provably ours, removes its directories. */
import { lstatSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import {
  entryName,
  type JournalEntry,
  type JournalFile,
  type JournalFinding,
  journalDirectory,
  readJournals,
  type ServerEntry,
} from './journal.ts';
import { stopMpsProcesses } from './mps-processes.ts';
import { bootId, isRunning, type ProcessIdentity, signalIfRunning } from './process-identity.ts';
import { stopServerProcesses } from './server-processes.ts';
import { seconds } from './units.ts';

/** Beginning of the name of every private directory of a daemon or server of ours; nothing else is ever removed. */
export const privateDirectoryPrefix = 'mpsb-';

/** From the stop signal to SIGKILL. */
const serverTimeoutNs = seconds(10);
/** Workers of a front end that was killed leave after the batch in hand; others see the end of a pipe. */
const workerPatienceNs = seconds(20);
const orphanPatienceNs = seconds(1);

/** What became of one journal. */
export type Recovery =
  | {
      readonly outcome: 'cleaned' | 'not-cleaned';
      readonly journalPath: string;
      /** What was left behind, such as "TorchServe"; in the order in which it was undone. */
      readonly of: readonly string[];
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
  const of: string[] = [];
  const stoppedPids: number[] = [];
  const removedDirectories: string[] = [];
  const problems: string[] = [];
  // The newest first: servers are clients of the daemon that was started before them.
  for (const entry of [...finding.file.entries].reverse()) {
    const { stopped, survivors } = await stopEntry(entry, sameBoot(finding.file));
    of.push(entryName(entry));
    stoppedPids.push(...stopped.map(({ pid }) => pid));
    if (survivors.length > 0) problems.push(`process ${survivors.map(({ pid }) => pid).join(', ')} does not end`);
    else if (entry.directory !== null) removeOwn(entry.directory, removedDirectories, problems);
  }
  if (problems.length === 0) rmSync(journalPath, { force: true });
  const outcome = problems.length === 0 ? 'cleaned' : 'not-cleaned';
  return { outcome, journalPath, of, stoppedPids, removedDirectories, problems };
}

interface Stopped {
  readonly stopped: readonly ProcessIdentity[];
  readonly survivors: readonly ProcessIdentity[];
}

/** `known` keeps of the written identities those that mean anything. */
type Known = (identities: readonly ProcessIdentity[]) => readonly ProcessIdentity[];

async function stopEntry(entry: JournalEntry, known: Known): Promise<Stopped> {
  if (entry.kind === 'server') return await stopServer(entry, known);
  const daemon = entry.daemon ? [entry.daemon] : [];
  return await stopMpsProcesses(entry.pipeDirectory, known([...daemon, ...entry.servers]));
}

async function stopServer(entry: ServerEntry, known: Known): Promise<Stopped> {
  const first = known(entry.killFirst).filter(isRunning);
  for (const frontEnd of first) signalIfRunning(frontEnd, 'SIGKILL');
  const { stopped, survivors } = await stopServerProcesses(
    { leaders: known(entry.leaders), serverId: entry.serverId, seen: known(entry.others) },
    {
      signal: entry.stopSignal,
      timeoutNs: serverTimeoutNs,
      orphanPatienceNs: first.length > 0 ? workerPatienceNs : orphanPatienceNs,
    },
  );
  const killed = first.filter(({ pid }) => !stopped.some((other) => other.pid === pid));
  return { stopped: [...killed, ...stopped], survivors };
}

/** PIDs and ticks of an earlier boot name nobody now, whatever their numbers. */
function sameBoot(file: JournalFile): Known {
  const same = file.bootId !== null && file.bootId === bootId();
  return (identities) => (same ? identities : []);
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
