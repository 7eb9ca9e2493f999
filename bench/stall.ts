/** A server that is deaf for a second: what an open loop shows of it, beside the schedule's own answer and a closed loop. */
import { buildProgram } from './build-program.ts';
import { type Latencies, latencyPeers } from './latency-peers.ts';
import { soundLoad } from './load-client.ts';
import { type BenchOutcome, type BenchSettings, markdownTable, type TargetResult } from './outcome.ts';
import { startTruthServer } from './truth-server.ts';

const ratePerSecond = 500;
const serviceNs = 1e6;
const stallNs = 1e9;
const defaultSeconds = 10;
/** Of the expected value: the backlog of a second's arrivals has to be worked off, and a bucket is 0.1 % wide. */
const tolerance = 0.05;
/** So many that every arrival during the stall finds one, and few for those who wait for their replies. */
const connections = { open: 600, closed: 16 };

interface Row {
  readonly client: string;
  readonly loop: string;
  readonly latencies: Latencies;
}

export async function stall(settings: BenchSettings): Promise<BenchOutcome> {
  const program = await buildProgram('truth_server');
  const seconds = settings.seconds ?? defaultSeconds;
  const { clientCore, serverCore } = settings;
  await using server = await startTruthServer(program, serverCore, {
    fast_us: serviceNs / 1e3,
    stall_at_ms: (seconds * 1e3) / 3,
    stall_ms: stallNs / 1e6,
  });
  const rows: Row[] = [];
  for (const engine of ['native', 'undici']) {
    await server.reset();
    const shape = ['--rate', `${ratePerSecond}`, '-c', `${connections.open}`, '-d', `${seconds}s`];
    const { measurement } = await soundLoad(server.url, [...shape, '--engine', engine], clientCore);
    const { p50Ns, p99Ns, p999Ns, maxNs } = measurement.responseTime;
    const latencies = { p50Ns: p50Ns ?? 0, p99Ns: p99Ns ?? 0, p999Ns: p999Ns ?? 0, maxNs: maxNs ?? 0 };
    rows.push({ client: engine, loop: `open, ${ratePerSecond}/s`, latencies });
  }
  const { peers, absent } = await latencyPeers();
  for (const { name, measure } of peers) {
    await server.reset();
    const latencies = await measure({ url: server.url, connections: connections.closed, seconds, core: clientCore });
    rows.push({ client: name, loop: `closed, ${connections.closed} connections`, latencies });
  }
  const expected = expectedLatencies(seconds);
  return {
    markdown: text(seconds, [{ client: 'the schedule', loop: 'open', latencies: expected }, ...rows], absent),
    data: { ratePerSecond, serviceNs, stallNs, seconds, connections, expected, rows },
    targets: rows.slice(0, 2).map((row) => targetOf(row, expected)),
  };
}

/**
 * An arrival at t after the stall began waits for the rest of it. Arrivals are evenly spaced, so the waits of the share
 * stall/length of them are spread evenly from 0 to the stall, and what is exceeded by a share q of all arrivals is the
 * stall less q times the length. The others take the service time.
 */
export function expectedLatencies(seconds: number): Latencies {
  const exceededBy = (share: number): number => serviceNs + Math.max(0, stallNs - share * seconds * 1e9);
  return { p50Ns: exceededBy(0.5), p99Ns: exceededBy(0.01), p999Ns: exceededBy(0.001), maxNs: exceededBy(0) };
}

function text(seconds: number, rows: readonly Row[], absent: readonly string[]): string {
  const shown = (spanNs: number): string => `${(spanNs / 1e6).toFixed(1)} ms`;
  const cells = rows.map(({ client, loop, latencies: { p50Ns, p99Ns, p999Ns, maxNs } }) => [
    client,
    loop,
    ...[p50Ns, p99Ns, p999Ns, maxNs].map(shown),
  ]);
  return [
    `${seconds} s, replies after ${serviceNs / 1e6} ms, the server deaf once for ${stallNs / 1e9} s after a third of the time.`,
    'In the first row, what follows from the schedule alone. A closed loop sends nothing while it waits, so that the stall',
    'meets one request for each of its connections and its percentiles do not know of those that would have come. wrk alone',
    'fills those in from its mean latency, afterwards.',
    ...absent,
    '',
    markdownTable(['client', 'loop', 'p50', 'p99', 'p99.9', 'max'], cells),
    '',
  ].join('\n');
}

function targetOf({ client, latencies }: Row, expected: Latencies): TargetResult {
  const ratios = (['p99Ns', 'maxNs'] as const).map((figure) => latencies[figure] / expected[figure]);
  const shown = (spanNs: number): string => `${(spanNs / 1e6).toFixed(0)} ms`;
  return {
    what: `a stall of 1 s under open loop, ${client}: p99 and max`,
    target: `as the schedule says (${shown(expected.p99Ns)}, ${shown(expected.maxNs)}), within ${tolerance * 100} %`,
    measured: `${shown(latencies.p99Ns)}, ${shown(latencies.maxNs)}`,
    met: ratios.every((ratio) => Math.abs(ratio - 1) <= tolerance),
  };
}
