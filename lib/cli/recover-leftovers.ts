/** Cleans at a start what a killed mpsbench left behind, and says so in a line each. */
import { type Recovery, recoverJournal } from '../core/journal-recovery.ts';
import type { CliContext } from './context.ts';

export async function recoverLeftovers(context: CliContext): Promise<readonly Recovery[]> {
  const recoveries = await recoverJournal();
  for (const recovery of recoveries) {
    const line = recoveryLine(recovery);
    if (line) context.err(`${line}\n`);
  }
  return recoveries;
}

/** null for what is nobody's business: the journal of a run that is alive, or of another host. */
export function recoveryLine(recovery: Recovery): string | null {
  if (recovery.outcome === 'unreadable')
    return `warning: cannot read journal ${recovery.journalPath}: ${recovery.problem}; look at it and remove it`;
  if (!('problems' in recovery)) return null;
  const done = [
    ...recovery.stoppedPids.map((pid) => `stopped PID ${pid}`),
    ...recovery.removedDirectories.map((directory) => `removed ${directory}`),
  ];
  const what = done.length > 0 ? done.join(', ') : 'nothing was left';
  if (recovery.outcome === 'cleaned') return `cleaned up after a killed mpsbench: ${what}`;
  return `warning: could not clean up all that a killed mpsbench left (${what}): ${recovery.problems.join('; ')}`;
}
