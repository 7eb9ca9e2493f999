/** Stands for an mpsbench that is killed: starts a daemon with a server, says their PIDs, and waits. */
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { startMpsDaemon } from '../../lib/mps/daemon.ts';

process.stdin.resume();
const daemon = await startMpsDaemon({
  controlPath: process.env.OWNER_CONTROL ?? null,
  deviceUuid: null,
  readyTimeoutNs: seconds(60),
  commandTimeoutNs: seconds(20),
  signal: new AbortController().signal,
  emergency: emergencyStops(),
});
const serverPid = await daemon.startServer();
process.stdout.write(`${JSON.stringify({ daemonPid: daemon.pid, serverPid })}\n`);
