/** A process that lowers its limit of open files, before it loads a server or in the middle of it. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { messageOf } from '../../lib/core/errors.ts';
import type { LoadHooks } from '../../lib/load/engine.ts';
import { closed, duration, engines, milli } from './run.ts';

const [url = '', name = '', moment = ''] = process.argv.slice(2);
const engine = engines.find((each) => each.name === name);

const openAtStart = readdirSync('/proc/self/fd').length;

/** Room for so many files beside those that are open at the start. */
function lower(room: number): void {
  const limit = openAtStart + room;
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${limit}:${limit}`]);
}

const hooks: Partial<LoadHooks> = moment === 'during' ? { onMeasurementStart: () => lower(50) } : {};
if (moment === 'before') lower(50);
try {
  // A time and not a number of requests: those could all be answered before the limit is down.
  const result = await engine?.run({ url, loop: closed(100), warmupNs: 200 * milli, stop: duration(1500) }, hooks);
  process.stdout.write(JSON.stringify(result?.summary));
} catch (thrown) {
  process.stdout.write(JSON.stringify({ refused: messageOf(thrown) }));
}
