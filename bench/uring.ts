/**
 * The trial behind docs/decisions/0005-io-uring.md: a bare client over io_uring beside the load engine, and beside a
 * client over epoll that is as bare, all without Node, against the server that answers at once.
 */
import { runCommand } from '../test/runner/command.ts';
import { buildProgram } from './build-program.ts';
import { buildNullServer, startNullServer } from './null-server.ts';
import { type BenchOutcome, type BenchSettings, markdownTable, type TargetResult } from './outcome.ts';
import type { Measured } from './peers.ts';
import { inTurns, median, type Rounds, spreadText } from './rounds.ts';

const defaultSeconds = 2;
/** io_uring would have to cost no more than so much of the engine under every load. */
const worthItRatio = 0.95;

/** The bare client over epoll is for short requests and replies. */
const cases = [
  { connections: 64, bodyBytes: 512, responseBytes: 2, backends: ['engine', 'epoll', 'uring'] },
  { connections: 600, bodyBytes: 512, responseBytes: 2, backends: ['engine', 'epoll', 'uring'] },
  { connections: 64, bodyBytes: 65536, responseBytes: 65536, backends: ['engine', 'uring'] },
] as const;
type Case = (typeof cases)[number];

export async function uring(settings: BenchSettings): Promise<BenchOutcome> {
  const server = await buildNullServer();
  const trial = await buildProgram('uring_trial');
  const { rounds, clientCore, serverCore } = settings;
  const seconds = settings.seconds ?? defaultSeconds;
  const text = [
    `Keep-alive, one client thread on CPU ${clientCore}, server on CPU ${serverCore}; ${rounds} rounds of ${seconds} s each, in turns.`,
    'Median, and the least and the most of the rounds; ratio of medians, then the same of the ratios inside one round. CPU is user and system time of the whole client.',
    '',
  ];
  const data: unknown[] = [];
  const overEngine: number[] = [];
  for (const load of cases) {
    const all = await measureCase({ server, trial, seconds }, load, settings);
    text.push(caseText(all, load));
    overEngine.push(ratioOfMedians(all, 'engine', 'cpuPerRequestNs'));
    data.push({ ...load, backends: Object.fromEntries(all) });
  }
  return { markdown: text.join('\n'), data, targets: [targetResult(overEngine)] };
}

interface Programs {
  readonly server: string;
  readonly trial: string;
  readonly seconds: number;
}

async function measureCase(programs: Programs, load: Case, settings: BenchSettings): Promise<Rounds<Measured>> {
  await using server = await startNullServer(programs.server, settings.serverCore, load.responseBytes);
  const { port } = new URL(server.url);
  const numbers = [port, load.connections, load.bodyBytes, load.responseBytes, programs.seconds].map(String);
  const backends = load.backends.map((name) => ({
    name,
    measure: async (): Promise<Measured> => {
      const command = ['-c', String(settings.clientCore), programs.trial, name, ...numbers];
      const run = await runCommand('taskset', command, { output: 'keep' });
      if (!run.ok) throw new Error(`uring_trial ${name} failed (${run.ending}): ${run.output}`);
      return JSON.parse(run.output);
    },
  }));
  // Awaited here, so that the server is there until then.
  return await inTurns(backends, settings.rounds);
}

function figures(all: Rounds<Measured>, backend: string, figure: keyof Measured): number[] {
  return (all.get(backend) ?? []).map((measured) => measured[figure]);
}

/** uring over the other, one for each round. */
function ratios(all: Rounds<Measured>, other: string, figure: keyof Measured): number[] {
  const others = figures(all, other, figure);
  return figures(all, 'uring', figure).map((value, round) => value / (others[round] ?? Number.NaN));
}

function ratioOfMedians(all: Rounds<Measured>, other: string, figure: keyof Measured): number {
  return median(figures(all, 'uring', figure)) / median(figures(all, other, figure));
}

function caseText(all: Rounds<Measured>, load: Case): string {
  const over = (other: string, figure: keyof Measured): string =>
    `${ratioOfMedians(all, other, figure).toFixed(2)}; ${spreadText(ratios(all, other, figure), (ratio) => ratio.toFixed(2))}`;
  const rows = load.backends.map((name) => [
    name,
    spreadText(figures(all, name, 'cpuPerRequestNs'), (valueNs) => `${(valueNs / 1e3).toFixed(2)} us`),
    spreadText(figures(all, name, 'requestsPerSecond'), (value) => Math.round(value).toLocaleString('en-US')),
    ...(name === 'uring' ? ['', ''] : [over(name, 'cpuPerRequestNs'), over(name, 'requestsPerSecond')]),
  ]);
  const head = ['client', 'CPU per request', 'requests per second', 'CPU, uring over it', 'throughput, uring over it'];
  return [
    `### ${load.connections} connections, ${load.bodyBytes}-byte POST, ${load.responseBytes}-byte reply`,
    '',
    markdownTable(head, rows),
    '',
  ].join('\n');
}

function targetResult(overEngine: readonly number[]): TargetResult {
  const worst = Math.max(...overEngine);
  return {
    what: 'io_uring left out: CPU per request over that of the engine, under the load that suits it least',
    target: `> ${worthItRatio}`,
    measured: worst.toFixed(2),
    met: worst > worthItRatio,
  };
}
