/** What a second load worker adds: two of them on two cores beside one on one, through a Redis of the benchmark's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadSummary } from '../lib/records/load.ts';
import { runCli } from '../test/cli/run-cli.ts';
import { startRedis, startWorker } from '../test/real/load-hosts-under-test.ts';
import { buildNullServer, startNullServer } from './null-server.ts';
import { type BenchOutcome, type BenchSettings, markdownTable } from './outcome.ts';

const connections = 32;
const defaultSeconds = 4;
const leastRatio = 1.8;
const replyBytes = 2;
/** A generator that costs many times what the null server does, so that the server is not what is measured. */
const engine = 'undici';

/** On a machine of two cores the server shares one: a worker there has less of it, but a reply comes without a wake-up. */
interface Round {
  /** One worker on the core without the server, and one on the core with it. */
  readonly apart: LoadSummary;
  readonly beside: LoadSummary;
  readonly two: LoadSummary;
}

export async function distributed(settings: BenchSettings): Promise<BenchOutcome> {
  const program = await buildNullServer();
  const folder = mkdtempSync(join(tmpdir(), 'mpsbench-bench-'));
  try {
    await using redis = await startRedis(folder);
    await using server = await startNullServer(program, settings.serverCore, replyBytes);
    const rounds: Round[] = [];
    for (let round = 0; round < settings.rounds; round++) {
      rounds.push(await oneRound(redis.url, server.url, settings));
    }
    return outcome(rounds, settings);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function oneRound(redis: string, url: string, settings: BenchSettings): Promise<Round> {
  const { clientCore, serverCore } = settings;
  const worker = (core: number) => startWorker(`core-${core}`, ['--redis', redis, '--client-cpus', String(core)]);
  const alone = async (core: number): Promise<LoadSummary> => {
    await using _worker = await worker(core);
    return await loadFrom(1, redis, url, settings);
  };
  const apart = await alone(clientCore);
  const beside = await alone(serverCore);
  await using _first = await worker(clientCore);
  await using _second = await worker(serverCore);
  return { apart, beside, two: await loadFrom(2, redis, url, settings) };
}

async function loadFrom(hosts: number, redis: string, url: string, { seconds }: BenchSettings): Promise<LoadSummary> {
  const shape = ['-c', String(connections * hosts), '-d', `${seconds ?? defaultSeconds}s`, '--warmup', '1s'];
  const where = ['--load-hosts', String(hosts), '--redis', redis, '--engine', engine];
  const { stdout, stderr, status } = await runCli(['load', url, ...shape, ...where, '--json', '--quiet']);
  if (status !== 0) throw new Error(`the load from ${hosts} workers failed: ${stderr}`);
  return JSON.parse(stdout).summary;
}

function outcome(rounds: readonly Round[], { clientCore, serverCore }: BenchSettings): BenchOutcome {
  const rate = ({ measurement }: LoadSummary): number => measurement.throughputPerSecond;
  const ratios = rounds.map(({ apart, beside, two }) => (2 * rate(two)) / (rate(apart) + rate(beside)));
  const median = [...ratios].sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0;
  const rows = rounds.map(({ apart, beside, two }, index) => [
    String(index + 1),
    `${Math.round(rate(apart))}/s`,
    `${Math.round(rate(beside))}/s`,
    `${Math.round(rate(two))}/s`,
    (ratios[index] ?? 0).toFixed(2),
    `${((two.hosts?.startSpreadNs ?? 0) / 1e6).toFixed(2)} ms`,
  ]);
  return {
    markdown: [
      `${connections} connections and one ${engine} thread a worker, the null server answers at once, on CPU ${serverCore}. Workers on CPU`,
      `${clientCore}, on CPU ${serverCore} beside the server, and on both; the ratio is that of both to the mean of the two alone.`,
      '',
      markdownTable(['round', `CPU ${clientCore}`, `CPU ${serverCore}`, 'both', 'ratio', 'starts apart'], rows),
      '',
    ].join('\n'),
    data: { connections, engine, clientCore, serverCore, rounds },
    targets: [
      {
        what: `two load workers on two cores over the mean of one, ${engine}: throughput, median of ${rounds.length} rounds`,
        target: `≥ ${leastRatio}x`,
        measured: `${median.toFixed(2)}x`,
        met: median >= leastRatio,
      },
    ],
  };
}
