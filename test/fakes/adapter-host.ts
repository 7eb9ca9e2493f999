/** A process that starts the embedded server and stays, for tests that kill it: prints the PIDs as one line of JSON. */
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { embeddedServerSchema } from '../../lib/records/server-plans/embedded.ts';
import { embeddedAdapter } from '../../lib/server/embedded.ts';

const plan = embeddedServerSchema.parse({ kind: 'embedded', workload: 'fixed:5ms' });
const server = await embeddedAdapter(plan, { cudaPath: null }).start({
  workers: 2,
  batchSize: 1,
  environment: {},
  unsetEnvironment: [],
  deviceUuid: null,
  logDirectory: process.argv[2] ?? '.',
  readyTimeoutNs: seconds(60),
  signal: new AbortController().signal,
  emergency: emergencyStops(),
});
const workers = await server.workers();
process.stdout.write(`${JSON.stringify([...server.otherPids, ...workers.map((worker) => worker.pid)])}\n`);
