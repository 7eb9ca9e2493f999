/** Says what became of the leftovers of a killed mpsbench. */
import type { Recovery } from '../../core/journal-recovery.ts';

/** One line on what became of one journal. */
export function renderRecovery(recovery: Recovery): string {
  const where = recovery.journalPath;
  switch (recovery.outcome) {
    case 'unreadable':
      return `${where} can not be read and is left: ${recovery.problem}`;
    case 'owner-alive':
      return `${where} belongs to an mpsbench that runs; left alone`;
    case 'elsewhere':
      return `${where} belongs to another host or container; left alone`;
    default: {
      const stopped = recovery.stoppedPids.length > 0 ? `stopped ${recovery.stoppedPids.join(', ')}` : 'no process ran';
      const removed = recovery.removedDirectories.map((directory) => `, removed ${directory}`).join('');
      const problems = recovery.problems.map((problem) => `; ${problem}`).join('');
      const done = recovery.outcome === 'cleaned' ? 'cleaned' : 'not all cleaned';
      return `${done} ${where} (${recovery.of.join(', ')}): ${stopped}${removed}${problems}`;
    }
  }
}
