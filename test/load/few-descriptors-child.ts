/** A process that lowers its limit of open files, before it loads a server or in the middle of it. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { messageOf } from '../../lib/core/errors.ts';
import type { LoadHooks } from '../../lib/load/engine.ts';
import { closed, duration, engines, milli } from './run.ts';

const [url = '', name = '', moment = ''] = process.argv.slice(2);
const engine = engines.find((each) => each.name === name);

/** Room for so many files beside those that are open. */
function lower(room: number): void {
  const limit = readdirSync('/proc/self/fd').length + room;
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${limit}:${limit}`]);
}

const hooks: Partial<LoadHooks> = moment === 'during' ? { onMeasurementStart: () => lower(-20) } : {};
if (moment === 'before') lower(20);
try {
  const spec = { url, loop: closed(100), warmupNs: 200 * milli, stop: duration(500), timeoutNs: 1000 * milli };
  const result = await engine?.run(spec, hooks);
  process.stdout.write(JSON.stringify(result?.summary));
} catch (thrown) {
  process.stdout.write(JSON.stringify({ refused: messageOf(thrown) }));
}
