/** mpsbench load: one load run against a server that is already there. */
import { Command, Option } from 'commander';
import { exitStatus, isInterrupted } from '../../core/errors.ts';
import { seconds } from '../../core/units.ts';
import { anyEngine, chooseEngine, type EngineWish } from '../../load/choose-engine.ts';
import type { IntervalHooks } from '../../load/engine.ts';
import { checkSpec, loadDefaults, runLoad } from '../../load/run-load.ts';
import { runWarnings } from '../../load/run-warnings.ts';
import type { LoadResult, LoadSpec } from '../../records/load.ts';
import { wrap } from '../../report/wrap.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { linesText } from '../live/display-line.ts';
import { type LoadTitle, loadFrame } from '../live/load-frame.ts';
import { intervalLine, jsonLine, loadDocument } from '../load-document.ts';
import { defaultConnections, type LoadOptions, loadSpec, parseRate, parseStatuses } from '../load-options.ts';
import { type LoadProgressDisplay, loadProgress, progressIntervalNs } from '../load-progress.ts';
import { loadText, loopText } from '../load-text.ts';
import { judge, parseThreshold, thresholdMetrics } from '../load-threshold.ts';
import { collect, durationValue, positiveDurationValue, wholeNumberValue } from '../option-values.ts';
import { type OutputTerminal, outputTerminal } from '../terminal.ts';

interface Options extends LoadOptions, EngineWish {
  readonly failIf?: readonly string[];
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
      new Option('--engine <name>', 'what sends; auto: native where it can serve (Linux, plain HTTP)')
        .choices(['auto', 'native', 'undici'])
        .default(anyEngine.engine),
    )
    .option('--threads <count>', 'sending threads of the native engine', wholeNumberValue(1), anyEngine.threads)
    .option('--expect-status <list>', 'statuses that count as ok, such as 200,201 (any 2xx)', parseStatuses)
    .option('--fail-if <condition>', `exit 3 when it holds; may be repeated: ${thresholdMetrics.join(' ')}`, collect)
    .option('--seed <number>', 'of arrivals and of the choice of bodies', wholeNumberValue(0), loadDefaults.seed)
    .option('--json', 'the result as JSON')
    .addOption(
      new Option('--json-lines', 'a JSON document per second while it runs, then the result, a line each').conflicts(
        'json',
      ),
    )
    .option('-q, --quiet', 'no progress')
    .option('--no-color', 'no colours; the variable NO_COLOR says the same')
    .addHelpText('after', examples)
    .action((url: string, options: Options) => load(context, url, options));
}

async function load(context: CliContext, url: string, options: Options): Promise<void> {
  const thresholds = (options.failIf ?? []).map(parseThreshold);
  const spec = loadSpec(url, options);
  const result = await runFollowed(context, spec, options);
  const terminal = terminalNow(options);
  const verdicts = thresholds.map((threshold) => judge(threshold, result.summary.measurement));
  const warnings = runWarnings(result.summary);
  const limit = context.interactive && terminal.width !== null ? terminal.width : Number.POSITIVE_INFINITY;
  const failing = verdicts.filter(({ verdict }) => verdict !== 'kept');
  const notes = [
    ...warnings.map(({ text }) => `${wrap(`warning: ${text}`, limit, '  ')}\n`),
    ...failing.map(({ text, verdict, measured }) => `--fail-if '${text}' is ${verdict}: ${measured}\n`),
  ];
  if (options.json) context.out(jsonDocument('load', loadDocument(spec, result, verdicts, warnings)));
  else if (options.jsonLines) context.out(jsonLine('load', loadDocument(spec, result, verdicts, warnings)));
  else {
    const rowsTaken = context.interactive ? notes.join('').split('\n').length - 1 : 0;
    context.out(loadText(spec, result, verdicts, { ...terminal, rowsTaken }));
  }
  for (const note of notes) context.err(note);
  const failed = warnings.some((warning) => warning.invalidates) || failing.length > 0;
  context.exit(failed ? exitStatus.invalid : exitStatus.done);
}

/** Who interrupts a run is told what was seen until then. */
async function runFollowed(context: CliContext, spec: LoadSpec, options: Options): Promise<LoadResult> {
  checkSpec(spec);
  const engine = chooseEngine(spec.url, options).name;
  const shape = `${loopText(spec.loop)} · ${engine} engine`;
  const title = { request: `${spec.method} ${spec.url}`, shape, warmupNs: spec.warmupNs, stop: spec.stop };
  const quiet = options.quiet === true || options.jsonLines === true;
  const display = loadProgress(context, title, { quiet, colour: options.color });
  try {
    const hooks = options.jsonLines ? lines(context) : following(display);
    return await runLoad(spec, { signal: context.signal, ...hooks }, options);
  } catch (thrown) {
    display[Symbol.dispose]();
    const asText = !options.json && !options.jsonLines;
    if (isInterrupted(thrown) && asText) context.out(interruptedText(title, display, terminalNow(options)));
    throw thrown;
  } finally {
    display[Symbol.dispose]();
  }
}

/** Its size may change during a run. */
function terminalNow(options: Options): OutputTerminal {
  const terminal = outputTerminal();
  return { ...terminal, colour: terminal.colour && options.color };
}

function lines(context: CliContext): IntervalHooks {
  return { onInterval: (interval) => context.out(intervalLine(interval)) };
}

function following(display: LoadProgressDisplay): IntervalHooks {
  return { onInterval: display.add, reportIntervalNs: progressIntervalNs };
}

/** Empty where nothing was measured. */
function interruptedText(title: LoadTitle, display: LoadProgressDisplay, terminal: OutputTerminal): string {
  const soFar = display.soFar();
  if (soFar.phase === 'starting') return '';
  // What was said about the interrupt, and the next prompt, stand around it.
  const size = { columns: terminal.width ?? 80, rows: Math.max((terminal.rows ?? 24) - 3, 16) };
  const frame = loadFrame(title, soFar, size, 'interrupted');
  return `${linesText(frame, size.columns, terminal.colour).join('\n')}\n`;
}
