// The fake's server process: is there until it is told to go, and outlives a daemon that was killed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endInTime, log, scenario } from './surroundings.mjs';

if (scenario().ignoreSigterm) process.on('SIGTERM', () => undefined);
endInTime();
// The fake NVML counts it on the device, with what the real one takes on an H100.
const residents = process.env.FAKE_GPU_RESIDENTS;
if (residents) writeFileSync(join(residents, String(process.pid)), '66 c nvidia-cuda-mps-server\n');
log('server.log', 'Other', 'Startup');
log('server.log', 'Server', 'Server has started');
setInterval(() => undefined, 1000);
