/**
 * What the engines cost beside their peers: client CPU per request and throughput on one core, against a server that
 * answers at once on another.
 */
import { runCommand } from '../test/runner/command.ts';
import { buildNullServer, startNullServer } from './null-server.ts';
import { type BenchOutcome, type BenchSettings, markdownTable, type TargetResult } from './outcome.ts';
import { type Measured, type Peer, peers } from './peers.ts';
import { inTurns, median, type Rounds } from './rounds.ts';

const defaultSeconds = 2;

interface Target {
  readonly client: string;
  readonly peer: string;
  readonly figure: keyof Measured;
  /** Client over peer: at most for CPU, at least for throughput. */
  readonly limit: number;
}

const smallReplies: readonly Target[] = [
  { client: 'native', peer: 'wrk', figure: 'cpuPerRequestNs', limit: 0.9 },
  { client: 'native', peer: 'wrk', figure: 'requestsPerSecond', limit: 1.0 },
  { client: 'native', peer: 'ab', figure: 'requestsPerSecond', limit: 1.3 },
  { client: 'undici', peer: 'autocannon', figure: 'cpuPerRequestNs', limit: 0.7 },
];

const cases = [
  { connections: 64, bodyBytes: 512, responseBytes: 2, targets: smallReplies },
  { connections: 600, bodyBytes: 512, responseBytes: 2, targets: smallReplies },
  {
    connections: 64,
    bodyBytes: 65536,
    responseBytes: 65536,
    targets: [{ client: 'native', peer: 'wrk', figure: 'cpuPerRequestNs', limit: 1.0 }],
  },
] as const satisfies readonly { readonly targets: readonly Target[]; [key: string]: unknown }[];
type Case = (typeof cases)[number];

export async function engine(settings: BenchSettings): Promise<BenchOutcome> {
  const program = await buildNullServer();
  const { present, absent } = await installed();
  const { rounds, clientCore, serverCore } = settings;
  const text = [
    `Keep-alive, one client thread on CPU ${clientCore}, server on CPU ${serverCore}; ${rounds} rounds of ${settings.seconds ?? defaultSeconds} s each, in turns.`,
    'Medians; ratios of medians, with the least and the most of the ratios inside one round.',
    'CPU is user and system time of the whole client; clients on Node leave out their start and 1 s of warm-up.',
    "'undici alone' and 'Node's sockets alone' record nothing: what no client on undici, or on Node, goes below.",
    ...absent.map((name) => `${name} is not installed and left out.`),
    '',
  ];
  const data: unknown[] = [];
  const targets: TargetResult[] = [];
  for (const load of cases) {
    const all = await measureCase(program, present, load, settings);
    text.push(caseText(all, load));
    targets.push(...load.targets.map((target) => targetResult(all, load, target)));
    data.push({ ...load, clients: Object.fromEntries(all) });
  }
  return { markdown: text.join('\n'), data, targets };
}

async function installed(): Promise<{ readonly present: readonly Peer[]; readonly absent: readonly string[] }> {
  const found: { readonly ok: boolean }[] = [];
  // One after the other: npm installs into one folder.
  for (const { present } of peers) {
    found.push(await runCommand(present[0] as string, present.slice(1), { output: 'keep' }));
  }
  return {
    present: peers.filter((_, index) => found[index]?.ok),
    absent: peers.filter((_, index) => !found[index]?.ok).map(({ name }) => name),
  };
}

async function measureCase(
  program: string,
  present: readonly Peer[],
  { connections, bodyBytes, responseBytes }: Case,
  { rounds, seconds, clientCore, serverCore }: BenchSettings,
): Promise<Rounds<Measured>> {
  await using server = await startNullServer(program, serverCore, responseBytes);
  const workload = { connections, bodyBytes, url: server.url, seconds: seconds ?? defaultSeconds };
  const able = present.filter(({ longestReplyBytes = Number.POSITIVE_INFINITY }) => responseBytes <= longestReplyBytes);
  const clients = able.map(({ name, measure }) => ({ name, measure: () => measure(workload, clientCore) }));
  return await inTurns(clients, rounds);
}

function figures(all: Rounds<Measured>, peer: string, figure: keyof Measured): number[] {
  return (all.get(peer) ?? []).map((measured) => measured[figure]);
}

/** Ratio of medians, and the least and the most of the rounds' own ratios. */
function ratioText(all: Rounds<Measured>, client: string, peer: string, figure: keyof Measured): string {
  const [mine, other] = [figures(all, client, figure), figures(all, peer, figure)];
  const perRound = mine.map((value, round) => value / (other[round] ?? Number.NaN));
  const ratio = median(mine) / median(other);
  return `${ratio.toFixed(2)} (${Math.min(...perRound).toFixed(2)} to ${Math.max(...perRound).toFixed(2)})`;
}

function caseText(all: Rounds<Measured>, load: Case): string {
  const title = `### ${load.connections} connections, ${load.bodyBytes}-byte POST, ${load.responseBytes}-byte reply`;
  const head = [
    'client',
    'CPU per request',
    'requests per second',
    'CPU, native over it',
    'throughput, native over it',
    'CPU, undici over it',
  ];
  const rows = [...all.keys()].map((name) => {
    const cpu = `${(median(figures(all, name, 'cpuPerRequestNs')) / 1e3).toFixed(2)} us`;
    const rate = Math.round(median(figures(all, name, 'requestsPerSecond'))).toLocaleString('en-US');
    const over = (mine: string, figure: keyof Measured): string =>
      name === mine ? '' : ratioText(all, mine, name, figure);
    const ratios = [
      over('native', 'cpuPerRequestNs'),
      over('native', 'requestsPerSecond'),
      over('undici', 'cpuPerRequestNs'),
    ];
    return [name, cpu, rate, ...ratios];
  });
  return [title, '', markdownTable(head, rows), ''].join('\n');
}

function targetResult(all: Rounds<Measured>, load: Case, { client, peer, figure, limit }: Target): TargetResult {
  const isCpu = figure === 'cpuPerRequestNs';
  const what = `${isCpu ? 'client CPU per request' : 'throughput on one core'}, ${client}, c=${load.connections}, ${load.bodyBytes}-byte POST`;
  const target = `${isCpu ? '≤' : '≥'} ${limit} × ${peer}`;
  if (!all.has(peer)) return { what, target, measured: `${peer} is not installed`, met: null };
  const ratio = median(figures(all, client, figure)) / median(figures(all, peer, figure));
  return { what, target, measured: ratioText(all, client, peer, figure), met: isCpu ? ratio <= limit : ratio >= limit };
}
