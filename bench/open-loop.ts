/** How late the engines send under an open loop: sent less intended, at a rate that is held for half a minute. */
import type { LatencySummary, LoadSummary } from '../lib/records/load.ts';
import { buildProgram } from './build-program.ts';
import { soundLoad } from './load-client.ts';
import { type BenchOutcome, type BenchSettings, markdownTable } from './outcome.ts';
import { startTruthServer } from './truth-server.ts';

const ratePerSecond = 5000;
const connections = 100;
const defaultSeconds = 30;
const limitsNs: Readonly<Record<string, number>> = { native: 1e6, undici: 5e6 };

export async function openLoop({ seconds, clientCore, serverCore }: BenchSettings): Promise<BenchOutcome> {
  const program = await buildProgram('truth_server');
  const spanSeconds = seconds ?? defaultSeconds;
  await using server = await startTruthServer(program, serverCore, { fast_us: 1000 });
  const runs: { readonly engine: string; readonly summary: LoadSummary }[] = [];
  for (const engine of Object.keys(limitsNs)) {
    const shape = ['--rate', `${ratePerSecond}`, '-c', `${connections}`, '-d', `${spanSeconds}s`, '--warmup', '1s'];
    runs.push({ engine, summary: await soundLoad(server.url, [...shape, '--engine', engine], clientCore) });
  }
  const rows = runs.map(({ engine, summary: { measurement } }) => [
    engine,
    `${Math.round(measurement.throughputPerSecond)}/s`,
    ...spans(measurement.lateness),
  ]);
  return {
    markdown: [
      `${ratePerSecond}/s at constant spacing for ${spanSeconds} s after 1 s of warm-up, at most ${connections} connections, replies after 1 ms;`,
      `client on CPU ${clientCore}, server on CPU ${serverCore}. Sent less intended, of all requests:`,
      '',
      markdownTable(['engine', 'answered', 'p50', 'p99', 'p99.9', 'max'], rows),
      '',
    ].join('\n'),
    data: { ratePerSecond, connections, seconds: spanSeconds, runs },
    targets: runs.map(({ engine, summary }) => {
      const { p99Ns } = summary.measurement.lateness;
      const limitNs = limitsNs[engine] ?? 0;
      return {
        what: `open loop ${ratePerSecond}/s for ${spanSeconds} s, ${engine}: sent − intended, p99`,
        target: `≤ ${limitNs / 1e6} ms`,
        measured: milliseconds(p99Ns),
        met: p99Ns !== null && p99Ns <= limitNs,
      };
    }),
  };
}

function spans({ p50Ns, p99Ns, p999Ns, maxNs }: LatencySummary): string[] {
  return [p50Ns, p99Ns, p999Ns, maxNs].map(milliseconds);
}

function milliseconds(spanNs: number | null): string {
  return spanNs === null ? 'none' : `${(spanNs / 1e6).toFixed(3)} ms`;
}
