/** What MPS is on this host at this moment: the control program, daemons that are not ours, journals of our own. */

import { z } from 'zod';
import { codeOf, isInterrupted, MpsbenchError } from '../core/errors.ts';
import { type JournalFinding, readJournals } from '../core/journal.ts';
import { seconds } from '../core/units.ts';
import { locateMpsControl, mpsControlVersion } from '../mps/control.ts';
import { withoutMpsVariables } from '../mps/environment.ts';
import { type ForeignDaemon, foreignDaemons } from '../mps/foreign-daemons.ts';

export const mpsControlStateSchema = z.object({
  /** null = not found. */
  path: z.string().nullable(),
  /** CUDA version that it was built for, as it says it ("13000"); null = it does not say, or can't be run. */
  version: z.string().nullable(),
  /** Why it can't be used; null = it can. `code` is one of core/errors.ts. */
  unavailable: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type MpsControlState = z.infer<typeof mpsControlStateSchema>;

export interface MpsState {
  readonly control: MpsControlState;
  /** Daemons and leftovers of daemons that no mpsbench has started. */
  readonly daemons: readonly ForeignDaemon[];
  /** What mpsbench processes of this user have told that they must undo. */
  readonly journals: readonly JournalFinding[];
}

export interface MpsStateSearch {
  /** Path or name of the control program; null = nvidia-cuda-mps-control on PATH. */
  readonly controlPath: string | null;
  readonly variables: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Looks and asks, with deadlines; changes nothing. Rejects with INTERRUPTED only. */
export async function readMpsState(search: MpsStateSearch): Promise<MpsState> {
  const control = await readControl(search);
  const journals = readJournals();
  const ownPipeDirectories = journals.flatMap((journal) =>
    journal.state === 'unreadable'
      ? []
      : journal.file.entries.flatMap((entry) => (entry.kind === 'mps-daemon' ? entry.pipeDirectory : [])),
  );
  const daemons = await foreignDaemons({
    controlPath: control.unavailable === null ? control.path : null,
    ownPipeDirectories,
    environment: search.variables,
    signal: search.signal,
  });
  return { control, daemons, journals };
}

async function readControl({ controlPath, variables, signal }: MpsStateSearch): Promise<MpsControlState> {
  let path: string | null = null;
  try {
    path = locateMpsControl(controlPath, variables);
    const environment = withoutMpsVariables(variables);
    const version = await mpsControlVersion({ path, environment, timeoutNs: seconds(5), signal });
    return { path, version: String(version), unavailable: null };
  } catch (thrown) {
    if (isInterrupted(thrown) || !(thrown instanceof MpsbenchError)) throw thrown;
    // An answer to -v that this version does not know says nothing against the program.
    const answered = ['MPS_UNKNOWN_OUTPUT', 'MPS_REFUSED'].includes(codeOf(thrown) ?? '');
    if (answered) return { path, version: null, unavailable: null };
    return { path, version: null, unavailable: { code: thrown.code, message: thrown.message } };
  }
}
