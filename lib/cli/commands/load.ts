/** mpsbench load: one load run against a server that is already there. */
import { Command, Option } from 'commander';
import { exitStatus, isInterrupted, MpsbenchError } from '../../core/errors.ts';
import { seconds } from '../../core/units.ts';
import { anyEngine, chooseEngine, type EngineWish } from '../../load/choose-engine.ts';
import type { LoadHooks } from '../../load/engine.ts';
import { createRawFile, type RawFile } from '../../load/raw-file.ts';
import { checkSpec, loadDefaults, runLoad } from '../../load/run-load.ts';
import { runWarnings } from '../../load/run-warnings.ts';
import { judge, parseThreshold, type ThresholdVerdict, thresholdMetrics } from '../../load/threshold.ts';
import { endedByTrace } from '../../load/trace.ts';
import { arrivalNames } from '../../records/arrivals.ts';
import type { LoadSpec } from '../../records/load.ts';
import type { ClientPlacement } from '../../records/placement.ts';
import { wrap } from '../../report/wrap.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import type { LoadTitle } from '../live/load-frame.ts';
import { intervalLine, jsonLine, loadDocument, type MeasuredLoad } from '../load-document.ts';
import {
  addHeadroomOptions,
  clientCpusOf,
  type HeadroomOptions,
  headroomRows,
  measuredHeadroom,
} from '../load-headroom.ts';
import { addLoadHostsOptions, type LoadHostsOptions } from '../load-hosts-options.ts';
import { defaultConnections, defaultHttp2Streams, type LoadOptions, loadSpec, parseStatuses } from '../load-options.ts';
import { type LoadProgressDisplay, loadProgress, progressIntervalNs } from '../load-progress.ts';
import { loopText } from '../loop-text.ts';
import { collect, durationValue, positiveDurationValue, wholeNumberValue } from '../option-values.ts';
import { addRateSearchOptions, type RateSearchOptionValues, refuseSearchOptions } from '../rate-search-options.ts';
import { parseRateOrAuto, type RequestedRate, rateForms } from '../requested-rate.ts';
import { type OutputTerminal, outputTerminal } from '../terminal.ts';

interface Options
  extends Omit<LoadOptions, 'rate'>,
    HeadroomOptions,
    RateSearchOptionValues,
    LoadHostsOptions,
    Pick<EngineWish, 'engine' | 'threads'> {
  readonly rate?: RequestedRate | 'auto';
  readonly failIf?: readonly string[];
  readonly raw?: string;
  readonly json?: boolean;
  readonly jsonLines?: boolean;
  readonly quiet?: boolean;
  /** False with --no-color. */
  readonly color: boolean;
}

const examples = `
Examples:
  $ mpsbench load http://127.0.0.1:8080/ping -c 16 -d 30s --warmup 5s
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i inputs/ -n 2000 --fail-if 'p99>50ms' --fail-if 'errors>1%'
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i input.json --rate 200 --arrival poisson -d 1m --json
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i input.json --rate 100,200,400 --step 20s --warmup 5s
  $ mpsbench load http://127.0.0.1:8080/predictions/model -i input.json --rate auto --slo 'p99<50ms' --slo 'errors<1%'

Exit status: 0 done · 1 no connection · 2 usage · 3 a --fail-if was missed, no reply was ok, or --rate auto found no rate · 130 interrupted`;

export function loadCommand(context: CliContext): Command {
  const { closed, open } = defaultConnections;
  const command = new Command('load')
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
    .option(
      '--rate <per-second>',
      `open loop: requests fall due at ${rateForms}, whatever the server does; auto: see --slo`,
      parseRateOrAuto,
    )
    .addOption(new Option('--arrival <how>', 'spacing at that rate (constant)').choices(arrivalNames))
    .addOption(new Option('--step <span>', 'length of each of several rates (10s)').argParser(positiveDurationValue))
    .option('--trace <file>', 'open loop: requests fall due at these offsets, one a line: seconds, or with a unit')
    .option('-i, --input <path>', 'body file, or a directory of them; may be repeated: a pool to draw from', collect)
    .option(
      '--template',
      'bodies have fields that each request fills: {{counter}} {{random}} {{random:8}} {{uuid}}; {{{{ sends {{',
    )
    .addOption(
      new Option(
        '--stream <kind>',
        'time the tokens of streamed replies: openai, for bodies that ask for "stream": true',
      ).choices(['openai']),
    )
    .option('-m, --method <name>', 'HTTP method (GET, or POST with a body)')
    .option('-H, --header <line>', "'Name: value'; may be repeated", collect)
    .option('--unix-socket <path>', 'connect to this Unix socket, whatever host the URL names')
    .addOption(
      new Option('--timeout <span>', 'limit of one request')
        .argParser(positiveDurationValue)
        .default(loadDefaults.timeoutNs, '30s'),
    )
    .addOption(
      new Option('--warmup <span>', 'load before measuring')
        .argParser(durationValue)
        .default(seconds(0), '0s; 1s for each probe of --rate auto'),
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
    .option('--raw <file>', 'a row for each request, as an Arrow IPC file')
    .option(
      '--seed <number>',
      'of arrivals, of the choice of bodies and of templates',
      wholeNumberValue(0),
      loadDefaults.seed,
    );
  addLoadHostsOptions(addHeadroomOptions(addRateSearchOptions(command)));
  return command
    .option('--json', 'the result as JSON')
    .addOption(
      new Option('--json-lines', 'a JSON document per second while it runs, then the result, a line each').conflicts(
        'json',
      ),
    )
    .option('-q, --quiet', 'no progress')
    .option('--no-color', 'no colours; the variable NO_COLOR says the same')
    .addHelpText('after', examples)
    .action((url: string, options: Options, command: Command) => {
      if (options.rate === 'auto') return search(context, url, options, command);
      const { rate, ...rest } = options;
      return load(context, url, { ...rest, ...(rate && { rate }) });
    });
}

/** A warm-up that was not asked for is that of a search, whose probes each begin with new connections. */
async function search(context: CliContext, url: string, options: Options, command: Command): Promise<void> {
  const [{ runRateSearch }, { searchDefaults }] = await Promise.all([
    import('../rate-search-run.ts'),
    import('../../load/rate-search.ts'),
  ]);
  if (options.loadHosts !== undefined) {
    throw new MpsbenchError('USAGE', '--rate auto searches from one host: leave out --load-hosts, or give a rate');
  }
  const { rate: _rate, ...rest } = options;
  const warmup = command.getOptionValueSource('warmup') === 'default' ? searchDefaults.warmupNs : options.warmup;
  await runRateSearch(context, url, { ...rest, warmup, cpus: clientCpusOf(options) });
}

type OneLoad = Omit<Options, 'rate'> & Pick<LoadOptions, 'rate'>;

async function load(context: CliContext, url: string, options: OneLoad): Promise<void> {
  refuseSearchOptions(options);
  const thresholds = (options.failIf ?? []).map(parseThreshold);
  const spec = loadSpec(url, options);
  const overHosts = await overHostsOf(options);
  await using raw = await rawFile(context, spec, options);
  const measured = await (overHosts?.runOverHosts(context, spec, options) ?? runFollowed(context, spec, options, raw));
  const { summary } = measured.result;
  const verdicts = thresholds.map((threshold) => judge(threshold, summary.measurement));
  const warnings = runWarnings(summary, measured);
  const failing = verdicts.filter(({ verdict }) => verdict !== 'kept');
  const terminal = terminalNow(options);
  const limit = context.interactive && terminal.width !== null ? terminal.width : Number.POSITIVE_INFINITY;
  const notes = [
    ...warnings.map(({ text }) => `${wrap(`warning: ${text}`, limit, '  ')}\n`),
    ...failing.map(({ text, verdict, measured }) => `--fail-if '${text}' is ${verdict}: ${measured}\n`),
  ];
  if (options.json) context.out(jsonDocument('load', loadDocument(spec, measured, verdicts, warnings)));
  else if (options.jsonLines) context.out(jsonLine('load', loadDocument(spec, measured, verdicts, warnings)));
  else {
    const rowsTaken = context.interactive ? notes.join('').split('\n').length - 1 : 0;
    context.out(await textOf(spec, measured, verdicts, { ...terminal, rowsTaken }));
  }
  for (const note of notes) context.err(note);
  const failed = warnings.some((warning) => warning.invalidates) || failing.length > 0;
  context.exit(failed ? exitStatus.invalid : exitStatus.done);
  // Last, so that a full disk takes the rows and not the result with them.
  await raw?.finish();
}

/** Null where the load is sent from here. */
async function overHostsOf(options: OneLoad): Promise<typeof import('../load-over-hosts.ts') | null> {
  if (options.loadHosts === undefined && options.redis === undefined && options.redisUrlFile === undefined) return null;
  const overHosts = await import('../load-over-hosts.ts');
  overHosts.checkOverHosts(options);
  return overHosts;
}

async function rawFile(context: CliContext, spec: LoadSpec, { raw }: Options): Promise<RawFile | null> {
  if (raw === undefined) return null;
  checkSpec(spec);
  const onFinished = (rows: number): void => context.err(`${rows} rows written to ${raw}\n`);
  return await createRawFile(raw, spec, { onFinished });
}

/** Who interrupts a run is told what was seen until then. */
async function runFollowed(
  context: CliContext,
  spec: LoadSpec,
  options: Options,
  raw: RawFile | null,
): Promise<MeasuredLoad> {
  const title = await titleOf(spec, options);
  const quiet = options.quiet === true || options.jsonLines === true;
  using display = await loadProgress(context, title, { quiet, colour: options.color });
  let placement: ClientPlacement | null = null;
  const onClientCpus = (seen: readonly string[] | null): void => {
    placement = { asked: options.clientCpus ?? '', threads: seen === null ? null : [...seen] };
  };
  const rows = raw === null ? {} : { onRow: raw.onRow, origin: raw.origin };
  const hooks = { signal: context.signal, onClientCpus, ...rows, ...intervalHooks(context, display, options) };
  const wish = wishOf(options);
  try {
    const result = await runLoad(spec, hooks, wish);
    const headroom = await measuredHeadroom(context, spec, result, wish, options);
    return { result, headroom, placement };
  } catch (thrown) {
    display[Symbol.dispose]();
    const asText = !options.json && !options.jsonLines;
    if (isInterrupted(thrown) && asText && !display.tally.empty) {
      const { interruptedText } = await import('../live/live-view.ts');
      context.out(interruptedText(title, display.tally, terminalNow(options)));
    }
    throw thrown;
  }
}

function wishOf(options: Options): EngineWish {
  const { engine, threads } = options;
  return { engine, threads, cpus: clientCpusOf(options) };
}

async function titleOf(spec: LoadSpec, options: Options): Promise<LoadTitle> {
  checkSpec(spec);
  const { name } = await chooseEngine(spec, wishOf(options));
  return {
    request: `${spec.method} ${spec.url}`,
    shape: `${loopText(spec.loop)} · ${name} engine`,
    warmupNs: spec.warmupNs,
    stop: endedByTrace(spec).stop,
  };
}

function intervalHooks(
  context: CliContext,
  display: LoadProgressDisplay,
  { jsonLines }: Options,
): Pick<LoadHooks, 'onInterval' | 'reportIntervalNs'> {
  if (jsonLines) return { onInterval: (interval) => context.out(intervalLine(interval)) };
  return { onInterval: display.add, reportIntervalNs: progressIntervalNs };
}

/** Its size may change during a run. */
function terminalNow(options: Options): OutputTerminal {
  const terminal = outputTerminal();
  return { ...terminal, colour: terminal.colour && options.color };
}

/** What the text needs is loaded once the run is over; the table library for a load that has parts alone. */
async function textOf(
  spec: LoadSpec,
  measured: MeasuredLoad,
  verdicts: readonly ThresholdVerdict[],
  room: OutputTerminal & { readonly rowsTaken: number },
): Promise<string> {
  const { loadText } = await import('../load-text.ts');
  const { result, headroom, placement } = measured;
  const { parts = [] } = result.summary;
  const hosts = result.summary.hosts && (await import('../load-over-hosts.ts')).hostRows(result.summary.hosts);
  const partLines = parts.length === 0 ? [] : (await import('../load-part-lines.ts')).partLines(parts);
  return loadText(spec, result, verdicts, room, {
    partLines,
    generatorRows: [...headroomRows(headroom, placement), ...(hosts ?? [])],
  });
}
