// A process that is an MPS client, as a worker would be, until its standard input ends.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { clientDirectory, endInTime, register } from './surroundings.mjs';

endInTime();
if (existsSync(clientDirectory)) register(process.pid);
console.log(existsSync(clientDirectory) ? 'ready' : 'no daemon');
process.stdin.resume();
process.stdin.on('end', () => rmSync(join(clientDirectory, String(process.pid)), { force: true }));
