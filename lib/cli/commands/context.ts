/** `mpsbench context`: what a CUDA context costs on this host, by arm and number of clients. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { summarizeContexts } from '../../analysis/context-cost.ts';
import { exitStatus, MpsbenchError, messageOf } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-version.ts';
import { type Nanoseconds, seconds } from '../../core/units.ts';
import { armName, parseArm } from '../../records/arm.ts';
import type { ContextCost, ContextRun } from '../../records/context-cost.ts';
import { contextText } from '../../report/context-text.ts';
import { type ContextCostProgress, runContextCost } from '../../study/context-cost.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { positiveDurationValue, wholeNumberValue } from '../option-values.ts';
import { liveStatus } from '../progress-line.ts';
import { recoverLeftovers } from '../recover-leftovers.ts';
import { outputTerminal } from '../terminal.ts';

interface ContextOptions {
  readonly clients: readonly number[];
  readonly sharing: readonly string[];
  readonly device?: string;
  readonly repeats: number;
  readonly seed: number;
  readonly timeout: Nanoseconds;
  readonly findLimit?: true;
  readonly json?: true;
  readonly out?: string;
}

/** More than any driver takes, and enough for a device without MPS. */
const mostClients = 512;

const help = `
Examples:
  mpsbench context
  mpsbench context --clients 1,2,4 --sharing off,mps,mps:25 --repeats 5
  mpsbench context --sharing mps --find-limit --out context.json

Starts processes that hold a bare CUDA context each, under a daemon of its own for each run. Nothing else should use the
device meanwhile. The default takes about three minutes.
Exit status: 0 every arm measured · 1 failed · 2 usage · 3 an arm has runs that do not count · 130 interrupted`;

export function contextCommand(context: CliContext): Command {
  return new Command('context')
    .description('measure what a CUDA context costs here: clients × arm, device memory, creation time, client limit')
    .addOption(listOption('--clients <list>', 'numbers of processes at once', clientCounts, '1,2,4,8'))
    .addOption(listOption('--sharing <list>', 'arms: off, mps, mps:P', armNames, 'off,mps,mps:50,mps:10'))
    .option('--device <device>', 'index or UUID of the GPU (default: the first)')
    .option('--repeats <n>', 'runs of each number of clients under each arm', wholeNumberValue(1), 3)
    .option('--find-limit', 'also add clients to each MPS arm until one is refused')
    .addOption(
      new Option('--timeout <time>', 'for clients to start, and to make their contexts')
        .argParser(positiveDurationValue)
        .default(seconds(60), '60s'),
    )
    .option('--seed <n>', 'of the order of runs', wholeNumberValue(0), 1)
    .option('--out <file>', 'also write the JSON document to this file, which must not exist')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', help)
    .action((options: ContextOptions) => measure(context, options));
}

/** The help has the default as it is typed. */
function listOption<T>(flags: string, description: string, read: (text: string) => T, typed: string): Option {
  return new Option(flags, description).argParser(read).default(read(typed), typed);
}

async function measure(context: CliContext, options: ContextOptions): Promise<void> {
  if (options.out !== undefined) requireFree(options.out);
  await recoverLeftovers(context);
  const cost = await run(context, options);
  const summary = summarizeContexts(cost);
  const document = jsonDocument('context', { ...cost, summary });
  if (options.out !== undefined) write(options.out, document);
  context.out(options.json ? document : contextText(cost, summary, outputTerminal().width));
  context.exit(summary.valid ? exitStatus.done : exitStatus.invalid);
}

async function run(context: CliContext, options: ContextOptions): Promise<ContextCost> {
  const live = liveStatus(context);
  try {
    return await runContextCost(
      {
        clientCounts: options.clients,
        arms: options.sharing,
        repeats: options.repeats,
        seed: options.seed,
        device: options.device ?? null,
        findLimit: options.findLimit === true,
        timeoutNs: options.timeout,
      },
      {
        paths: context.paths,
        signal: context.signal,
        emergency: context.emergency,
        tool: { version: packageVersion(), commandLine: ['mpsbench', ...process.argv.slice(2)] },
        onStart: (record) => tellStart(context, record),
        onProgress: (progress) => live.update(progressText(progress)),
        onRun: (finished) => tellTrouble(live.note, finished),
      },
    );
  } finally {
    live.done();
  }
}

function tellStart(
  context: CliContext,
  { warnings, environment }: Pick<ContextCost, 'warnings' | 'environment'>,
): void {
  for (const { arm, reason } of environment.armsLeftOut) context.err(`left out: ${arm}: ${reason}\n`);
  for (const { subject, message, mend } of warnings) context.err(`warning: ${subject}: ${message}; ${mend}\n`);
}

function progressText({ position, runs, arm, clientCount }: ContextCostProgress): string {
  if (position === null) return `${arm}: adding clients until one is refused`;
  return `run ${position}/${runs}  ${arm}, ${clientCount} ${clientCount === 1 ? 'client' : 'clients'}`;
}

function tellTrouble(note: (text: string) => void, { arm, clientCount, position, reasons }: ContextRun): void {
  for (const { code, message } of reasons) note(`run ${position} (${arm}, ${clientCount}): ${code}: ${message}`);
}

/** Before minutes of measuring, and not after them. */
function requireFree(path: string): void {
  if (existsSync(path)) {
    throw new MpsbenchError('OUTPUT_EXISTS', `cannot write ${path}: it exists; remove it or name another file`);
  }
  if (existsSync(dirname(path))) return;
  throw new MpsbenchError(
    'OUTPUT_NOT_WRITABLE',
    `cannot write ${path}: there is no directory ${dirname(path)}; make it`,
  );
}

/** Whole or not at all. */
function write(path: string, text: string): void {
  try {
    writeFileSync(`${path}.new`, text, { flag: 'wx' });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    const message = `cannot write ${path}: ${messageOf(cause)}; name a file in a directory with room and permission`;
    throw new MpsbenchError('OUTPUT_NOT_WRITABLE', message, { cause });
  }
}

function clientCounts(text: string): number[] {
  const read = wholeNumberValue(1, mostClients);
  const counts = text.split(',').map((item) => read(item.trim()));
  if (new Set(counts).size < counts.length) throw new InvalidArgumentError('A number of clients is named twice.');
  return counts.sort((a, b) => a - b);
}

function armNames(text: string): string[] {
  try {
    const names = text.split(',').map((item): string => armName(parseArm(item)));
    if (new Set(names).size === names.length) return names;
  } catch (thrown) {
    throw new InvalidArgumentError(`${messageOf(thrown)}.`);
  }
  throw new InvalidArgumentError('An arm is named twice.');
}
