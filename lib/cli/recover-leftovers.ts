/** Cleans at a start what a killed mpsbench left behind, and says so in a line each. */
import { recoverJournal } from '../core/journal-recovery.ts';
import type { CliContext } from './context.ts';
import { renderRecovery } from './render/recovery.ts';

/** A journal of a run that is alive, or of another host, is nobody's business and not told. */
export async function recoverLeftovers(context: CliContext): Promise<void> {
  for (const recovery of await recoverJournal()) {
    if (recovery.outcome === 'owner-alive' || recovery.outcome === 'elsewhere') continue;
    context.err(`a killed mpsbench: ${renderRecovery(recovery)}\n`);
  }
}
