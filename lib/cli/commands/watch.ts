/** `mpsbench watch`: the GPUs of this host as they are, with who is attached to MPS and who fell back. */
import { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { type Nanoseconds, seconds } from '../../core/units.ts';
import { type GpuSession, openGpu } from '../../gpu/session.ts';
import { jsonSchemaVersion } from '../../records/document-version.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { linesText } from '../live/display-line.ts';
import { positiveDurationValue } from '../option-values.ts';
import { outputTerminal, type ProgressTerminal, wholeTerminal } from '../terminal.ts';
import { chosenDevice } from '../watch/chosen-device.ts';
import { initialControls } from '../watch/controls.ts';
import { WatchHistory } from '../watch/history.ts';
import { HostWatch } from '../watch/host-watch.ts';
import { watchFrame } from '../watch/watch-frame.ts';
import { runWatchView } from '../watch/watch-view.ts';

interface WatchOptions {
  readonly interval?: Nanoseconds;
  readonly device?: string;
  readonly once?: true;
  readonly json?: true;
  /** False with --no-color. */
  readonly color: boolean;
}

const help = `
Examples:
  mpsbench watch
  mpsbench watch --device 1 --interval 500ms
  mpsbench watch --once                what a terminal would show, once; also where there is no terminal
  mpsbench watch --json                one document a line and interval; with --once one document

q leaves, ? lists the keys. Without a working driver: one line, exit status 1.`;

const usualInterval = seconds(1);
/** Of a frame in a file or a pipe. */
const plainColumns = 120;

export function watchCommand(context: CliContext): Command {
  return new Command('watch')
    .description('live view of the GPUs: memory by holder, who is attached to MPS and who fell back')
    .option('--interval <period>', 'look again every period (default: 1s)', positiveDurationValue)
    .option('--device <index or UUID>', 'this GPU alone')
    .option('--once', 'print one frame and end')
    .option('--json', 'one JSON document a line and interval; with --once one document')
    .option('--no-color', 'no colours, as with NO_COLOR set')
    .addHelpText('after', help)
    .action(async (options: WatchOptions) => {
      using session = openGpu({ nvmlPath: context.paths.nvml });
      await watch(context, session, options);
    });
}

async function watch(context: CliContext, session: GpuSession, options: WatchOptions): Promise<void> {
  const host = await HostWatch.begin(context, session, chosenDevice(session, options.device ?? null));
  const terminal = wholeTerminal();
  if (options.json) return await documents(context, host, options);
  if (options.once || terminal === null || !context.interactive) return printFrame(context, host, options);
  const coloured: ProgressTerminal = { ...terminal, colour: terminal.colour && options.color };
  await runWatchView(context, host, { intervalNs: options.interval ?? usualInterval, terminal: coloured });
}

function printFrame(context: CliContext, host: HostWatch, { color, interval = usualInterval }: WatchOptions): void {
  const state = host.look();
  const history = new WatchHistory();
  history.add(state);
  const { width, colour } = outputTerminal();
  const size = { columns: width ?? plainColumns, rows: Number.POSITIVE_INFINITY };
  const lines = watchFrame({ state, history, controls: initialControls, intervalNs: interval }, size);
  context.out(`${linesText(lines, size.columns, colour && color).join('\n')}\n`);
}

async function documents(
  context: CliContext,
  host: HostWatch,
  { once, interval = usualInterval }: WatchOptions,
): Promise<void> {
  if (once) return context.out(jsonDocument('watch', host.look()));
  for (;;) {
    context.out(`${JSON.stringify({ schemaVersion: jsonSchemaVersion, kind: 'watch', ...host.look() })}\n`);
    await systemClock.sleep(interval, context.signal);
  }
}
