/** mpsbench load: one load run against a server that is already there. */
import { Command, Option } from 'commander';
import { exitStatus } from '../../core/errors.ts';
import { formatRate, formatSpan, ns, seconds } from '../../core/units.ts';
import { anyEngine, type EngineWish } from '../../load/choose-engine.ts';
import type { LoadProgress } from '../../load/engine.ts';
import { loadDefaults, runLoad } from '../../load/run-load.ts';
import { type RunWarning, runWarnings } from '../../load/run-warnings.ts';
import type { LoadResult, LoadSpec } from '../../records/load.ts';
import { wrap } from '../../report/wrap.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import {
  defaultConnections,
  defaultHttp2Streams,
  type LoadOptions,
  loadSpec,
  parseRate,
  parseStatuses,
} from '../load-options.ts';
import { loadText } from '../load-text.ts';
import { judge, parseThreshold, type ThresholdVerdict, thresholdMetrics } from '../load-threshold.ts';
import { collect, durationValue, positiveDurationValue, wholeNumberValue } from '../option-values.ts';
import { liveStatus } from '../progress-line.ts';
import { outputTerminal } from '../terminal.ts';

interface Options extends LoadOptions, EngineWish {
  readonly failIf?: readonly string[];
  readonly json?: boolean;
}

const examples = `
Examples:
  $ mpsbench load http://127.0.0.1:8080/ping -c 16 -d 30s --warmup 5s
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i inputs/ -n 2000 --fail-if 'p99>50ms' --fail-if 'errors>1%'
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i input.json --rate 200 --arrival poisson -d 1m --json

Exit status: 0 done · 1 no connection · 2 usage · 3 a --fail-if was missed, or no reply was ok · 130 interrupted`;

export function loadCommand(context: CliContext): Command {
  const { closed, open } = defaultConnections;
  return new Command('load')
    .description('load an HTTP server and report throughput, errors and latency')
    .argument('<url>', 'where the requests go')
    .option(
      '-c, --connections <count>',
      `requests in flight (${closed}); with --rate: connections at most (${open})`,
      wholeNumberValue(1),
    )
    .addOption(
      new Option('-n, --requests <count>', 'stop after so many requests')
        .argParser(wholeNumberValue(1))
        .conflicts('duration'),
    )
    .addOption(
      new Option('-d, --duration <span>', 'stop after this time, such as 30s (10s)').argParser(positiveDurationValue),
    )
    .option('--rate <per-second>', 'open loop: requests fall due at this rate, whatever the server does', parseRate)
    .addOption(new Option('--arrival <how>', 'spacing at that rate (constant)').choices(['constant', 'poisson']))
    .option('-i, --input <path>', 'body file, or a directory of them; may be repeated: a pool to draw from', collect)
    .option('-m, --method <name>', 'HTTP method (GET, or POST with a body)')
    .option('-H, --header <line>', "'Name: value'; may be repeated", collect)
    .addOption(
      new Option('--timeout <span>', 'limit of one request')
        .argParser(positiveDurationValue)
        .default(loadDefaults.timeoutNs, '30s'),
    )
    .addOption(
      new Option('--warmup <span>', 'load before measuring').argParser(durationValue).default(seconds(0), '0s'),
    )
    .addOption(
      new Option('--engine <name>', 'what sends; auto: native where it can serve (Linux, plain HTTP, no proxy)')
        .choices(['auto', 'native', 'undici'])
        .default(anyEngine.engine),
    )
    .option('--threads <count>', 'sending threads', wholeNumberValue(1), anyEngine.threads)
    .option('--insecure', 'take any certificate of the server')
    .option('--cacert <file>', 'PEM file of the only authorities whose certificates are taken')
    .option('--http2', 'HTTP/2 over TLS instead of HTTP/1.1')
    .option(
      '--streams <count>',
      `with --http2: requests at a time on one connection (${defaultHttp2Streams})`,
      wholeNumberValue(1),
    )
    .option('--proxy <url>', 'send through this HTTP proxy; HTTP_PROXY and its like are not read')
    .option('--expect-status <list>', 'statuses that count as ok, such as 200,201 (any 2xx)', parseStatuses)
    .option('--fail-if <condition>', `exit 3 when it holds; may be repeated: ${thresholdMetrics.join(' ')}`, collect)
    .option('--seed <number>', 'of arrivals and of the choice of bodies', wholeNumberValue(0), loadDefaults.seed)
    .option('--json', 'the result as JSON')
    .addHelpText('after', examples)
    .action((url: string, options: Options) => load(context, url, options));
}

async function load(context: CliContext, url: string, options: Options): Promise<void> {
  const thresholds = (options.failIf ?? []).map(parseThreshold);
  const spec = loadSpec(url, options);
  const result = await runWithProgress(context, spec, options);
  const verdicts = thresholds.map((threshold) => judge(threshold, result.summary.measurement));
  const warnings = runWarnings(result.summary);
  const { width } = outputTerminal();
  if (options.json) context.out(json(spec, result, verdicts, warnings));
  else context.out(loadText(spec, result.summary, verdicts, width));
  const limit = context.interactive && width !== null ? width : Number.POSITIVE_INFINITY;
  for (const warning of warnings) context.err(`${wrap(`warning: ${warning.text}`, limit, '  ')}\n`);
  const failing = verdicts.filter(({ verdict }) => verdict !== 'kept');
  for (const { text, verdict, measured } of failing) context.err(`--fail-if '${text}' is ${verdict}: ${measured}\n`);
  const failed = warnings.some((warning) => warning.invalidates) || failing.length > 0;
  context.exit(failed ? exitStatus.invalid : exitStatus.done);
}

async function runWithProgress(context: CliContext, spec: LoadSpec, wish: EngineWish): Promise<LoadResult> {
  const status = liveStatus(context);
  try {
    const onProgress = (progress: LoadProgress): void => status.update(progressText(spec, progress));
    return await runLoad(spec, { signal: context.signal, onProgress }, wish);
  } finally {
    status.done();
  }
}

function progressText({ stop, warmupNs }: LoadSpec, progress: LoadProgress): string {
  const done = formatSpan(ns(progress.elapsedNs));
  const total = stop.kind === 'duration' ? ` of ${formatSpan(ns(warmupNs + stop.durationNs))}` : '';
  const count = stop.kind === 'requests' ? ` of ${stop.requests} requests` : '';
  const { phase, ok, errors, recentPerSecond } = progress;
  return `${phase} · ${done}${total} · ${ok} ok, ${errors} failed${count} · ${formatRate(recentPerSecond)}`;
}

/** Without the proxy's password and the text of certificates. */
function transportFacts({ verifyCertificate, certificateAuthorities, http2Streams, proxyUrl }: LoadSpec['transport']) {
  const proxy = proxyUrl === null ? null : new URL(proxyUrl).host;
  return { verifyCertificate, ownAuthorities: certificateAuthorities !== null, http2Streams, proxy };
}

/** Bodies and the values of headers are left out: they may be large, or secret. */
function json(
  spec: LoadSpec,
  result: LoadResult,
  thresholds: readonly ThresholdVerdict[],
  warnings: readonly RunWarning[],
): string {
  const { url, method, headers, bodies, warmupNs, timeoutNs, expectStatus, seed, transport } = spec;
  const { summary, series, histograms, originAt } = result;
  const column = (values: Float64Array): (number | null)[] => Array.from(values, (v) => (Number.isNaN(v) ? null : v));
  return jsonDocument('load', {
    url,
    method,
    headerNames: Object.keys(headers),
    bodies: bodies.length,
    warmupNs,
    timeoutNs,
    expectStatus,
    seed,
    transport: transportFacts(transport),
    originAt,
    summary,
    thresholds,
    warnings,
    series: {
      intervalNs: series.intervalNs,
      ok: column(series.ok),
      errors: column(series.errors),
      inFlight: column(series.inFlight),
      p50Ns: column(series.p50Ns),
      p99Ns: column(series.p99Ns),
    },
    histograms,
  });
}
