/** mpsbench load: one load run against a server that is already there. */
import { Command, Option } from 'commander';
import { exitStatus } from '../../core/errors.ts';
import { formatRate, formatSpan, ns, seconds } from '../../core/units.ts';
import { anyEngine, type EngineWish } from '../../load/choose-engine.ts';
import type { LoadProgress } from '../../load/engine.ts';
import { createRawFile, type RawFile } from '../../load/raw-file.ts';
import { loadDefaults, runLoad } from '../../load/run-load.ts';
import { type RunWarning, runWarnings } from '../../load/run-warnings.ts';
import { judge, parseThreshold, type ThresholdVerdict, thresholdMetrics } from '../../load/threshold.ts';
import { arrivalNames } from '../../records/arrivals.ts';
import type { LoadResult, LoadSpec, LoadSummary } from '../../records/load.ts';
import { wrap } from '../../report/wrap.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { defaultConnections, type LoadOptions, loadSpec, parseStatuses } from '../load-options.ts';
import { loadText } from '../load-text.ts';
import { collect, durationValue, positiveDurationValue, wholeNumberValue } from '../option-values.ts';
import { liveStatus } from '../progress-line.ts';
import { parseRate, rateForms } from '../requested-rate.ts';
import { outputTerminal } from '../terminal.ts';

interface Options extends LoadOptions, EngineWish {
  readonly failIf?: readonly string[];
  readonly raw?: string;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ mpsbench load http://127.0.0.1:8080/ping -c 16 -d 30s --warmup 5s
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i inputs/ -n 2000 --fail-if 'p99>50ms' --fail-if 'errors>1%'
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i input.json --rate 200 --arrival poisson -d 1m --json
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i input.json --rate 100,200,400 --step 20s --warmup 5s

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
    .option('--rate <per-second>', `open loop: requests fall due at ${rateForms}, whatever the server does`, parseRate)
    .addOption(new Option('--arrival <how>', 'spacing at that rate (constant)').choices(arrivalNames))
    .addOption(new Option('--step <span>', 'length of each of several rates (10s)').argParser(positiveDurationValue))
    .option('--trace <file>', 'open loop: requests fall due at these offsets, one a line: seconds, or with a unit')
    .option('-i, --input <path>', 'body file, or a directory of them; may be repeated: a pool to draw from', collect)
    .option('--template', 'bodies have fields that each request fills: {{counter}} {{random}} {{random:8}} {{uuid}}')
    .option('-m, --method <name>', 'HTTP method (GET, or POST with a body)')
    .option('-H, --header <line>', "'Name: value'; may be repeated", collect)
    .option('--unix-socket <path>', 'connect to this Unix socket, whatever host the URL names')
    .addOption(
      new Option('--timeout <span>', 'limit of one request')
        .argParser(positiveDurationValue)
        .default(loadDefaults.timeoutNs, '30s'),
    )
    .addOption(
      new Option('--warmup <span>', 'load before measuring').argParser(durationValue).default(seconds(0), '0s'),
    )
    .addOption(
      new Option('--engine <name>', 'what sends; auto: native where it can serve (Linux, plain HTTP)')
        .choices(['auto', 'native', 'undici'])
        .default(anyEngine.engine),
    )
    .option('--threads <count>', 'sending threads of the native engine', wholeNumberValue(1), anyEngine.threads)
    .option('--expect-status <list>', 'statuses that count as ok, such as 200,201 (any 2xx)', parseStatuses)
    .option('--fail-if <condition>', `exit 3 when it holds; may be repeated: ${thresholdMetrics.join(' ')}`, collect)
    .option('--raw <file>', 'a row for each request, as an Arrow IPC file')
    .option(
      '--seed <number>',
      'of arrivals, of the choice of bodies and of templates',
      wholeNumberValue(0),
      loadDefaults.seed,
    )
    .option('--json', 'the result as JSON')
    .addHelpText('after', examples)
    .action((url: string, options: Options) => load(context, url, options));
}

async function load(context: CliContext, url: string, options: Options): Promise<void> {
  const thresholds = (options.failIf ?? []).map(parseThreshold);
  const spec = loadSpec(url, options);
  await using raw = await rawFile(context, spec, options);
  const result = await runWithProgress(context, spec, { ...anyEngine, ...options }, raw);
  const verdicts = thresholds.map((threshold) => judge(threshold, result.summary.measurement));
  const warnings = runWarnings(result.summary);
  const { width } = outputTerminal();
  if (options.json) context.out(json(spec, result, verdicts, warnings));
  else context.out(loadText(spec, result.summary, verdicts, width, await partLinesOf(result.summary)));
  const limit = context.interactive && width !== null ? width : Number.POSITIVE_INFINITY;
  for (const warning of warnings) context.err(`${wrap(`warning: ${warning.text}`, limit, '  ')}\n`);
  const failing = verdicts.filter(({ verdict }) => verdict !== 'kept');
  for (const { text, verdict, measured } of failing) context.err(`--fail-if '${text}' is ${verdict}: ${measured}\n`);
  const failed = warnings.some((warning) => warning.invalidates) || failing.length > 0;
  context.exit(failed ? exitStatus.invalid : exitStatus.done);
  // Last, so that a full disk takes the rows and not the result with them.
  await raw?.finish();
}

async function rawFile(context: CliContext, spec: LoadSpec, { raw }: Options): Promise<RawFile | null> {
  if (raw === undefined) return null;
  const onFinished = (rows: number): void => context.err(`${rows} rows written to ${raw}\n`);
  return await createRawFile(raw, spec, { onFinished });
}

async function runWithProgress(
  context: CliContext,
  spec: LoadSpec,
  wish: EngineWish,
  raw: RawFile | null,
): Promise<LoadResult> {
  const status = liveStatus(context);
  try {
    const onProgress = (progress: LoadProgress): void => status.update(progressText(spec, progress));
    const rows = raw === null ? {} : { onRow: raw.onRow, origin: raw.origin };
    return await runLoad(spec, { signal: context.signal, onProgress, ...rows }, wish);
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

/** The table library is loaded for a load that has parts alone. */
async function partLinesOf({ parts = [] }: LoadSummary): Promise<readonly string[]> {
  return parts.length === 0 ? [] : (await import('../load-part-lines.ts')).partLines(parts);
}

/** Bodies and the values of headers are left out: they may be large, or secret. */
function json(
  spec: LoadSpec,
  result: LoadResult,
  thresholds: readonly ThresholdVerdict[],
  warnings: readonly RunWarning[],
): string {
  const { url, method, headers, bodies, template, socketPath, warmupNs, timeoutNs, expectStatus, seed } = spec;
  const { summary, series, histograms, originAt } = result;
  const column = (values: Float64Array): (number | null)[] => Array.from(values, (v) => (Number.isNaN(v) ? null : v));
  return jsonDocument('load', {
    url,
    method,
    headerNames: Object.keys(headers),
    bodies: bodies.length,
    template,
    socketPath,
    warmupNs,
    timeoutNs,
    expectStatus,
    seed,
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
