/** Servers and clients of an MPS daemon that is not ours, by its pipe directory: asked, never touched. */
import { MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, seconds } from '../core/units.ts';
import { askMps } from './ask.ts';
import { locateMpsControl } from './control.ts';
import { withoutMpsVariables } from './environment.ts';
import { parsePidList } from './transcript.ts';

export interface ForeignClients {
  readonly serverPids: readonly number[];
  readonly clientPids: readonly number[];
}

export interface ForeignClientSearch {
  readonly pipeDirectory: string;
  /** Path or name of nvidia-cuda-mps-control; null = found on PATH. */
  readonly controlPath: string | null;
  readonly signal: AbortSignal;
  /** For each question. */
  readonly timeoutNs?: Nanoseconds;
}

/** null where nobody answers, or the control program is not here. Throws INTERRUPTED. */
export async function foreignClients(search: ForeignClientSearch): Promise<ForeignClients | null> {
  const { pipeDirectory, signal, timeoutNs = seconds(5) } = search;
  const environment = { ...withoutMpsVariables(process.env), CUDA_MPS_PIPE_DIRECTORY: pipeDirectory };
  try {
    const run = { path: locateMpsControl(search.controlPath), environment, timeoutNs, signal };
    const servers = await askMps(run, 'get_server_list', parsePidList);
    if (servers.kind === 'refused') return null;
    const clientPids: number[] = [];
    for (const serverPid of servers.facts) {
      const clients = await askMps(run, `get_client_list ${serverPid}`, parsePidList);
      if (clients.kind === 'facts') clientPids.push(...clients.facts);
      // A server may end between the two questions, and then has no clients.
      else if (clients.reason !== 'server-not-found') return null;
    }
    return { serverPids: servers.facts, clientPids };
  } catch (thrown) {
    if (!(thrown instanceof MpsbenchError) || thrown.code === 'INTERRUPTED') throw thrown;
    return null;
  }
}
