// The fake's server process: is there until it is told to go, and outlives a daemon that was killed.
import { endInTime, log, scenario } from './surroundings.mjs';

if (scenario().ignoreSigterm) process.on('SIGTERM', () => undefined);
endInTime();
log('server.log', 'Other', 'Startup');
log('server.log', 'Server', 'Server has started');
setInterval(() => undefined, 1000);
