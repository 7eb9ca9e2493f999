/** The clients whose latencies are held against the server's own, and how each is asked for them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../test/runner/command.ts';
import { autocannonPath } from './autocannon.ts';
import { soundLoad } from './load-client.ts';

export interface LatencyLoad {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
}

export interface Latencies {
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
}

export interface LatencyPeer {
  readonly name: string;
  readonly measure: (load: LatencyLoad) => Promise<Latencies>;
}

export interface PresentPeers {
  readonly peers: readonly LatencyPeer[];
  /** A line for each that is not installed, with what to install. */
  readonly absent: readonly string[];
}

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-bench-'));

export async function latencyPeers(): Promise<PresentPeers> {
  const wrk = await runCommand('which', ['wrk'], { output: 'keep' });
  const autocannon = await autocannonPath();
  const found: (LatencyPeer | string)[] = [
    { name: 'native', measure: (load) => mpsbench('native', load) },
    { name: 'undici', measure: (load) => mpsbench('undici', load) },
    wrk.ok ? { name: 'wrk', measure: wrkLatencies } : 'wrk is not installed and left out: apt-get install wrk',
    autocannon === null
      ? 'autocannon could not be installed and is left out: npm install autocannon'
      : { name: 'autocannon', measure: (load) => autocannonLatencies(autocannon, load) },
  ];
  return {
    peers: found.filter((entry) => typeof entry !== 'string'),
    absent: found.filter((entry) => typeof entry === 'string'),
  };
}

async function mpsbench(engine: string, { url, connections, seconds, core }: LatencyLoad): Promise<Latencies> {
  const options = ['-c', `${connections}`, '-d', `${seconds}s`, '--warmup', '1s', '--engine', engine];
  const { p50Ns, p99Ns, p999Ns, maxNs } = (await soundLoad(url, options, core)).measurement.responseTime;
  if (p50Ns === null || p99Ns === null || p999Ns === null || maxNs === null) throw new Error(`${engine}: no reply`);
  return { p50Ns, p99Ns, p999Ns, maxNs };
}

/** Its own report stops at p99; its script interface has the rest, in whole microseconds. */
export async function wrkLatencies({ url, connections, seconds, core }: LatencyLoad): Promise<Latencies> {
  const script = join(scratch, 'percentiles.lua');
  writeFileSync(
    script,
    `done = function(summary, latency)
  io.write(string.format("percentiles %d %d %d %d\\n",
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
`,
  );
  const options = ['-t', '1', '-c', `${connections}`, '-d', `${seconds}s`, '--timeout', '30s', '-s', script];
  const { output } = await runCommand('taskset', ['-c', `${core}`, 'wrk', ...options, url], { output: 'keep' });
  const figures = /percentiles (\d+) (\d+) (\d+) (\d+)/
    .exec(output)
    ?.slice(1)
    .map((text) => Number(text) * 1e3);
  if (figures === undefined || /Non-2xx|Socket errors/.test(output)) throw new Error(`wrk: ${output}`);
  const [p50Ns = 0, p99Ns = 0, p999Ns = 0, maxNs = 0] = figures;
  return { p50Ns, p99Ns, p999Ns, maxNs };
}

/** Its latencies are in whole milliseconds. */
async function autocannonLatencies(path: string, { url, connections, seconds, core }: LatencyLoad): Promise<Latencies> {
  const command = [process.execPath, path, '-c', `${connections}`, '-d', `${seconds}`, '--json', '--no-progress', url];
  const shell = ['-c', `${core}`, 'sh', '-c', '"$@" 2>/dev/null', 'sh', ...command];
  const { output, ending } = await runCommand('taskset', shell, { output: 'keep' });
  if (output.trim() === '') throw new Error(`autocannon printed nothing (${ending})`);
  const { latency, errors } = JSON.parse(output);
  if (errors > 0) throw new Error(`autocannon: ${errors} errors`);
  return { p50Ns: latency.p50 * 1e6, p99Ns: latency.p99 * 1e6, p999Ns: latency.p99_9 * 1e6, maxNs: latency.max * 1e6 };
}
