/** What became of MPS in a measurement: a daemon, or a server of its, that is gone measured something else than the arm. */
import type { RunningMpsDaemon } from '../mps/contract.ts';
import type { Attachment, Reason } from '../records/trial.ts';

/**
 * Asked after the load. The daemon makes a new server for whoever asks, so that a server that died shows only in its
 * PID: the clients of the old one have lost their contexts, and those that came back attached within the window.
 */
export async function mpsFault(daemon: RunningMpsDaemon, { mpsServerPids }: Attachment): Promise<Reason | null> {
  const death = daemon.death();
  if (death) return { code: 'mps-failed', message: death, advice: "see the daemon's control.log and server.log" };
  const now = await daemon.serverPids();
  const gone = mpsServerPids.filter((pid) => !now.includes(pid));
  if (gone.length === 0) return null;
  const left = now.length === 0 ? 'none runs now' : `now it is PID ${now.join(', ')}`;
  return {
    code: 'mps-failed',
    message: `the MPS server PID ${gone.join(', ')} is gone that the workers were attached to when the load began; ${left}`,
    advice: "see the daemon's server.log, and dmesg for an Xid: a client that faults takes the server along",
  };
}
