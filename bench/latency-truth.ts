/** Measured latency less the truth: the clients against a server that times each of its replies itself. */
import { buildProgram } from './build-program.ts';
import { type Latencies, type LatencyPeer, latencyPeers } from './latency-peers.ts';
import { type BenchOutcome, type BenchSettings, markdownTable, type TargetResult } from './outcome.ts';
import { inTurns, median, type Rounds, spreadText } from './rounds.ts';
import { startTruthServer, type Truth, type TruthServerOptions } from './truth-server.ts';

/** Few: with a fixed service time their replies come in bursts, in which each waits for those before it. */
const connections = 8;
const defaultSeconds = 3;

const cases: readonly { readonly name: string; readonly server: TruthServerOptions }[] = [
  { name: 'fixed 5 ms', server: { fast_us: 5000 } },
  { name: '98.9 % 2 ms, 1.1 % 40 ms', server: { fast_us: 2000, slow_us: 40_000, slow_per_thousand: 11 } },
];

const percentiles = [
  ['p50', 'p50Ns'],
  ['p99', 'p99Ns'],
  ['p99.9', 'p999Ns'],
] as const satisfies readonly (readonly [string, keyof Latencies & keyof Truth])[];

/** 1 % of the truth, and on top what the wire and the client's own wake-up may take. */
const allowances: Readonly<Record<string, number>> = { native: 50e3, undici: 500e3 };
const relativeAllowance = 0.01;

interface Held {
  readonly measured: Latencies;
  readonly truth: Truth;
}

export async function latencyTruth(settings: BenchSettings): Promise<BenchOutcome> {
  const program = await buildProgram('truth_server');
  const { peers, absent } = await latencyPeers();
  const texts: string[] = [
    `Closed loop, ${connections} connections, client on CPU ${settings.clientCore}, server on CPU ${settings.serverCore}; ${settings.rounds} rounds of ${settings.seconds ?? defaultSeconds} s each, in turns.`,
    'Shown: measured less true, in microseconds, median of the rounds with the least and the most. The truth is the',
    "server's own, from the arrival of a request in its kernel to the reply written, over the same requests: what is off is the client.",
    'wrk fills in requests that it takes its connections to have left out during long replies, which moves p99 of two service times.',
    ...absent,
    '',
  ];
  const data: unknown[] = [];
  const targets: TargetResult[] = [];
  for (const { name, server } of cases) {
    const all = await measureCase(program, peers, server, settings);
    texts.push(caseText(name, all), '');
    targets.push(...Object.keys(allowances).flatMap((client) => targetOf(client, name, all.get(client) ?? [])));
    data.push({ name, server, connections, clients: Object.fromEntries(all) });
  }
  return { markdown: texts.join('\n'), data, targets };
}

async function measureCase(
  program: string,
  peers: readonly LatencyPeer[],
  options: TruthServerOptions,
  { rounds, seconds, clientCore, serverCore }: BenchSettings,
): Promise<Rounds<Held>> {
  await using server = await startTruthServer(program, serverCore, options);
  const load = { url: server.url, connections, seconds: seconds ?? defaultSeconds, core: clientCore };
  const clients = peers.map(({ name, measure }) => ({
    name,
    measure: async () => {
      await server.reset();
      const measured = await measure(load);
      return { measured, truth: await server.truth() };
    },
  }));
  return await inTurns(clients, rounds);
}

function errorsNs(held: readonly Held[], figure: (typeof percentiles)[number][1]): number[] {
  return held.map(({ measured, truth }) => measured[figure] - truth[figure]);
}

function caseText(name: string, all: Rounds<Held>): string {
  const microseconds = (valueNs: number): string => (valueNs / 1e3).toFixed(0);
  const rows = [...all].map(([client, held]) => [
    client,
    ...percentiles.map(([, figure]) => spreadText(errorsNs(held, figure), microseconds)),
    spreadText(
      held.map(({ truth }) => truth.p99Ns),
      microseconds,
    ),
  ]);
  const head = ['client', ...percentiles.map(([shown]) => `${shown} off by`), 'true p99'];
  return [`### Service time ${name}`, '', markdownTable(head, rows)].join('\n');
}

/** Of the three percentiles, the one that uses most of its allowance. */
function targetOf(client: string, name: string, held: readonly Held[]): TargetResult[] {
  const allowanceNs = allowances[client] ?? 0;
  const shares = percentiles.map(([shown, figure]) => {
    const offNs = median(errorsNs(held, figure));
    const trueNs = median(held.map(({ truth }) => truth[figure]));
    return { shown, offNs, share: Math.abs(offNs) / (relativeAllowance * trueNs + allowanceNs) };
  });
  const worst = shares.reduce((most, each) => (each.share > most.share ? each : most));
  return [
    {
      what: `latency against the truth, ${name}, ${client}: p50, p99, p99.9`,
      target: `within 1 % + ${allowanceNs / 1e3} us`,
      measured: `at worst ${worst.shown}: ${(worst.offNs / 1e3).toFixed(0)} us off, ${(worst.share * 100).toFixed(0)} % of what is allowed`,
      met: worst.share <= 1,
    },
  ];
}
