/** A process of its own that lowers its limit of open files once its modules are loaded, and then loads a server. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { closed, engines, requests } from './run.ts';

const [url = '', name = ''] = process.argv.slice(2);
const roomForConnections = 20;
const limit = readdirSync('/proc/self/fd').length + roomForConnections;
execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${limit}:${limit}`]);
const engine = engines.find((each) => each.name === name);
const result = await engine?.run({ url, loop: closed(100), stop: requests(300) });
process.stdout.write(JSON.stringify(result?.summary));
