/** The load generators under comparison: how each is started, and what its output says. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, runCommand } from '../test/runner/command.ts';
import { npmPeers } from './autocannon.ts';
import { soundLoad } from './load-client.ts';

export interface Workload {
  readonly url: string;
  readonly connections: number;
  readonly bodyBytes: number;
  readonly seconds: number;
}

export interface Measured {
  readonly requestsPerSecond: number;
  /** User and system time of the client process. Those that run on Node: without their start and a second of warm-up. */
  readonly cpuPerRequestNs: number;
}

export interface Peer {
  readonly name: string;
  /** Exit status 0 when it is installed; npm's are installed by it. */
  readonly present: readonly string[];
  /** Left out where replies are longer: it takes each read for one. */
  readonly longestReplyBytes?: number;
  readonly measure: (load: Workload, core: number) => Promise<Measured>;
}

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-bench-'));

export const peers: readonly Peer[] = [
  { name: 'native', present: ['true'], measure: (load, core) => mpsbench('native', load, core) },
  { name: 'undici', present: ['true'], measure: (load, core) => mpsbench('undici', load, core) },
  { name: 'wrk', present: ['which', 'wrk'], measure: wrk },
  { name: 'ab', present: ['which', 'ab'], measure: ab },
  {
    name: 'autocannon',
    present: ofNpm('autocannon@9.0.0'),
    measure: (load, core) => javascript('autocannon', load, core),
  },
  { name: 'loadtest', present: ofNpm('loadtest@8.2.1'), measure: (load, core) => javascript('loadtest', load, core) },
  { name: 'undici alone', present: ['true'], measure: (load, core) => javascript('undici', load, core) },
  {
    name: "Node's sockets alone",
    present: ['true'],
    longestReplyBytes: 1024,
    measure: (load, core) => javascript('sockets', load, core),
  },
];

async function mpsbench(engine: string, load: Workload, core: number): Promise<Measured> {
  const options = ['-c', `${load.connections}`, '-d', `${load.seconds}s`, '-i', bodyFile(load), '--warmup', '1s'];
  const { measurement, generator } = await soundLoad(load.url, [...options, '--engine', engine], core);
  if (generator.cpuPerRequestNs === null) throw new Error(`${engine}: no request was finished`);
  return { requestsPerSecond: measurement.throughputPerSecond, cpuPerRequestNs: generator.cpuPerRequestNs };
}

async function wrk(load: Workload, core: number): Promise<Measured> {
  const script = join(scratch, 'post.lua');
  writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${load.bodyBytes})\n`);
  const options = ['-t', '1', '-c', `${load.connections}`, '-d', `${load.seconds}s`, '--timeout', '30s', '-s', script];
  const { output, cpuNs } = await timed(core, ['wrk', ...options, load.url]);
  const requests = numberIn(output, /(\d+) requests in/);
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk had errors: ${output}`);
  return { requestsPerSecond: numberIn(output, /Requests\/sec:\s*([\d.]+)/), cpuPerRequestNs: cpuNs / requests };
}

async function ab(load: Workload, core: number): Promise<Measured> {
  const options = ['-q', '-k', '-c', `${load.connections}`, '-t', `${load.seconds}`, '-n', '100000000'];
  const body = ['-p', bodyFile(load), '-T', 'application/octet-stream'];
  const { output, cpuNs } = await timed(core, ['ab', ...options, ...body, load.url]);
  const requests = numberIn(output, /Complete requests:\s*(\d+)/);
  allOk('ab', requests - numberIn(output, /Failed requests:\s*(\d+)/), requests);
  return { requestsPerSecond: numberIn(output, /Requests per second:\s*([\d.]+)/), cpuPerRequestNs: cpuNs / requests };
}

/** The command that installs a package beside the others, unless it is there. */
function ofNpm(packageAtVersion: string): string[] {
  return ['npm', 'install', '--prefix', npmPeers, '--no-audit', '--no-fund', packageAtVersion];
}

async function javascript(name: string, load: Workload, core: number): Promise<Measured> {
  const script = join(root, 'bench/javascript-peer.mjs');
  const given = [npmPeers, name, load.url, `${load.connections}`, `${load.seconds}`, bodyFile(load)];
  const { output } = await pinned(core, ['sh', '-c', '"$@" 2>/dev/null', 'sh', process.execPath, script, ...given]);
  const { ok, failed, requestsPerSecond, cpuPerRequestNs } = JSON.parse(output.trim().split('\n').at(-1) ?? '');
  allOk(name, ok, ok + failed);
  return { requestsPerSecond, cpuPerRequestNs };
}

function bodyFile({ bodyBytes }: Workload): string {
  const path = join(scratch, `body-${bodyBytes}`);
  writeFileSync(path, 'x'.repeat(bodyBytes));
  return path;
}

/** A failed request costs something else than a good one. A few may be cut off by the end. */
function allOk(name: string, ok: number, all: number): void {
  if (ok < 0.999 * all || all === 0) throw new Error(`${name}: only ${ok} of ${all} requests were ok`);
}

async function pinned(core: number, command: readonly string[]): Promise<{ readonly output: string }> {
  const run = await runCommand('taskset', ['-c', String(core), ...command], { output: 'keep' });
  if (run.output.trim() === '') throw new Error(`${command.join(' ')} printed nothing (${run.ending})`);
  return run;
}

/** The shell's own word for what a child used, to the millisecond. */
async function timed(core: number, command: readonly string[]): Promise<{ output: string; cpuNs: number }> {
  const shell = ['bash', '-c', 'TIMEFORMAT="used %3U %3S"; time "$@"', 'bash', ...command];
  const { output } = await pinned(core, shell);
  const used = numberIn(output, /used ([\d.]+) [\d.]+/) + numberIn(output, /used [\d.]+ ([\d.]+)/);
  return { output, cpuNs: used * 1e9 };
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern} in: ${text}`);
  return Number(found);
}
