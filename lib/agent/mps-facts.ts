/** Whom the MPS daemons of this host serve: asked seldom, since each question is a process and a line in their log. */
import { codeOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { askMps } from '../mps/ask.ts';
import type { ControlRun } from '../mps/control.ts';
import { withoutMpsVariables } from '../mps/environment.ts';
import { defaultPipeDirectory, type ForeignDaemon } from '../mps/foreign-daemons.ts';
import { type Parser, parsePercentage, parsePidList } from '../mps/transcript.ts';
import { ownDaemons } from '../study/host-snapshot.ts';
import type { MpsState } from '../study/mps-state.ts';

export interface DaemonFacts {
  readonly state: ForeignDaemon['state'];
  readonly pipeDirectory: string | null;
  readonly servers: readonly { readonly pid: number; readonly clientPids: readonly number[] | null }[];
  /** What clients get that ask for no share, 0-100; null = not asked, or not told. */
  readonly defaultSharePercent: number | null;
}

/** For each question. */
const patience = seconds(2);

/**
 * Every daemon that was found. Those of a running study are not asked, lest it be disturbed. Rejects with INTERRUPTED
 * only.
 */
export async function daemonFacts(mps: MpsState, signal: AbortSignal): Promise<DaemonFacts[]> {
  const own = ownDaemons(mps.journals).map(
    ({ pipeDirectory }): DaemonFacts => ({ state: 'alive', pipeDirectory, servers: [], defaultSharePercent: null }),
  );
  const found: DaemonFacts[] = [];
  for (const daemon of mps.daemons) found.push(await askDaemon(daemon, mps.control.path, signal));
  return [...own, ...found];
}

/** Where a process looks for a daemon that names no directory. */
export function reachedDirectory(pipeDirectory: string | null): string {
  return pipeDirectory ?? defaultPipeDirectory;
}

async function askDaemon(daemon: ForeignDaemon, path: string | null, signal: AbortSignal): Promise<DaemonFacts> {
  const { state, pipeDirectory } = daemon;
  const unasked = (daemon.serverPids ?? []).map((pid) => ({ pid, clientPids: null }));
  if (state !== 'alive' || pipeDirectory === null || path === null) {
    return { state, pipeDirectory, servers: unasked, defaultSharePercent: null };
  }
  const environment = { ...withoutMpsVariables(process.env), CUDA_MPS_PIPE_DIRECTORY: pipeDirectory };
  const run: ControlRun = { path, environment, timeoutNs: patience, signal };
  const servers: { pid: number; clientPids: readonly number[] | null }[] = [];
  for (const { pid } of unasked)
    servers.push({ pid, clientPids: await told(run, `get_client_list ${pid}`, parsePidList) });
  const defaultSharePercent = await told(run, 'get_default_active_thread_percentage', parsePercentage);
  return { state, pipeDirectory, servers, defaultSharePercent };
}

/** null where the daemon refuses, or does not answer in time or in words that are known. */
async function told<T>(run: ControlRun, command: string, parse: Parser<T>): Promise<T | null> {
  try {
    const answer = await askMps(run, command, parse);
    return answer.kind === 'facts' ? answer.facts : null;
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === undefined || code === 'INTERRUPTED') throw thrown;
    return null;
  }
}
