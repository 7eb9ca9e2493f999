/** Ten thousand connections from one client: whether it runs, what memory it takes, and what it says when it may not. */
import type { OutcomeCounts } from '../lib/records/load.ts';
import { failedRequests } from '../lib/records/load-outcomes.ts';
import { buildProgram } from './build-program.ts';
import { type ClientRun, runLoadClient } from './load-client.ts';
import { type BenchOutcome, type BenchSettings, markdownTable, type TargetResult } from './outcome.ts';
import { startTruthServer } from './truth-server.ts';

const connections = 10_000;
/** Room for the connections and what a program has open besides. */
const descriptors = connections + 500;
const tooFewDescriptors = 1024;
const residentLimitBytes = 200 * 2 ** 20;
const defaultSeconds = 10;
/** Long enough that all connections are busy at once. */
const serviceUs = 250_000;

interface EngineRun {
  readonly engine: string;
  readonly run: ClientRun;
  readonly connectionsMost: number;
}

export async function tenThousand(settings: BenchSettings): Promise<BenchOutcome> {
  const program = await buildProgram('truth_server');
  const { clientCore, serverCore } = settings;
  const seconds = settings.seconds ?? defaultSeconds;
  await using server = await startTruthServer(program, serverCore, { fast_us: serviceUs }, limitedTo(descriptors));
  const runs: EngineRun[] = [];
  for (const engine of ['native', 'undici']) {
    await server.reset();
    const options = ['-c', `${connections}`, '-d', `${seconds}s`, '--warmup', '2s', '--engine', engine];
    const run = await runLoadClient(server.url, options, { core: clientCore, before: limitedTo(descriptors) });
    runs.push({ engine, run, connectionsMost: (await server.truth()).connectionsMost });
  }
  const limited = await runLoadClient(server.url, ['-c', `${connections}`, '-d', '1s'], {
    core: clientCore,
    before: limitedTo(tooFewDescriptors),
  });
  return {
    markdown: text(seconds, runs, limited),
    data: { connections, seconds, serviceUs, runs, limited },
    targets: [
      ...runs.map(residentTarget),
      {
        what: `${connections} connections where ${tooFewDescriptors} descriptors are allowed`,
        target: 'the limit is named, with the mend',
        measured: sample(limited, 'connect'),
        met: /(EMFILE|OPEN_FILE_LIMIT).*ulimit -n/.test(sample(limited, 'connect')),
      },
    ],
  };
}

function limitedTo(count: number): string[] {
  return ['prlimit', `--nofile=${count}:${count}`];
}

function isSound(outcomes: OutcomeCounts): boolean {
  return outcomes.ok > 0 && failedRequests(outcomes) === 0;
}

function residentTarget({ engine, run, connectionsMost }: EngineRun): TargetResult {
  const { summary, residentMostBytes } = run;
  const sound = summary !== null && isSound(summary.measurement.outcomes);
  return {
    what: `${connections} connections, ${engine}`,
    target: `runs, ≤ ${mebibytes(residentLimitBytes)} resident`,
    measured: `${connectionsMost} open at once, ${mebibytes(residentMostBytes)} resident at most`,
    met:
      sound && connectionsMost >= connections && residentMostBytes !== null && residentMostBytes <= residentLimitBytes,
  };
}

function text(seconds: number, runs: readonly EngineRun[], limited: ClientRun): string {
  const rows = runs.map(({ engine, run: { summary, residentMostBytes, stderr }, connectionsMost }) => [
    engine,
    String(connectionsMost),
    mebibytes(residentMostBytes),
    summary === null ? stderr.trim() : `${Math.round(summary.measurement.throughputPerSecond)}/s`,
    failures(summary),
  ]);
  const head = ['engine', 'open at once', 'resident at most (VmHWM)', 'answered', 'failed'];
  return [
    `Closed loop over ${connections} connections for ${seconds} s after 2 s of warm-up, replies after ${serviceUs / 1e3} ms.`,
    '',
    markdownTable(head, rows),
    '',
    `With a limit of ${tooFewDescriptors} descriptors the client says: ${sample(limited, 'connect')}`,
    '',
  ].join('\n');
}

function failures(summary: ClientRun['summary']): string {
  if (summary === null) return 'no result';
  const failed = Object.entries(summary.measurement.outcomes).filter(([name, count]) => name !== 'ok' && count > 0);
  return failed.length === 0 ? 'none' : failed.map(([name, count]) => `${name} ${count}`).join(', ');
}

function sample({ summary, stderr }: ClientRun, outcome: string): string {
  return summary?.errorSamples[outcome]?.[0] ?? stderr.trim().split('\n').at(-1) ?? 'nothing';
}

function mebibytes(bytes: number | null): string {
  return bytes === null ? 'unknown' : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
