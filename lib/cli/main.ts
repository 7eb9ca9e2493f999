#!/usr/bin/env node
/** Dispatch, signals and exit status; the only place that ends the process or writes to its streams. */
import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { emergencyStops } from '../core/emergency.ts';
import { codeOf, type ExitStatus, exitStatus, isInterrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import { printable } from '../core/printable.ts';
import { checkProgramLimit } from '../load/descriptor-limit.ts';
import { commandsFor } from './command-list.ts';
import type { CliContext } from './context.ts';
import { isUsageError, usageMessage } from './usage-error.ts';

const emergency = emergencyStops();
const interrupt = new AbortController();
let status: ExitStatus = exitStatus.done;

const context: CliContext = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
  signal: interrupt.signal,
  emergency,
  onHangup: (reload) => {
    process.off('SIGHUP', onSignal);
    process.on('SIGHUP', reload);
  },
  paths: {
    nvml: process.env.MPSBENCH_NVML_LIBRARY ?? null,
    cuda: process.env.MPSBENCH_CUDA_LIBRARY ?? null,
    mpsControl: process.env.MPSBENCH_MPS_CONTROL ?? null,
  },
  exit: (value) => {
    status = value;
  },
};

process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
process.on('SIGHUP', onSignal);
process.on('uncaughtException', leave);
process.on('exit', () => emergency.runAll());
process.stdout.on('error', onLostOutput);
// Without a reader of stderr there is nobody to tell; the result and the exit status still count.
process.stderr.on('error', () => {});

const root = program();
try {
  checkProgramLimit();
  for (const command of await commandsFor(process.argv.slice(2), context)) root.addCommand(inherit(root, command));
  await root.parseAsync(process.argv);
  process.exitCode = interrupt.signal.aborted ? exitStatus.interrupted : status;
} catch (thrown) {
  process.exitCode = report(thrown);
}

function program(): Command {
  return new Command('mpsbench')
    .description('Is NVIDIA MPS worth enabling for this inference deployment? Measured, on this host.')
    .version(packageVersion())
    .showSuggestionAfterError()
    .configureOutput({ writeOut: context.out, writeErr: context.err, outputError: () => {} })
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit status: 0 done and valid, 1 failed, 2 usage or plan, 3 done but invalid, 130 interrupted.',
    );
}

/** Commander's settings are not handed down by addCommand. */
function inherit(parent: Command, command: Command): Command {
  return command.copyInheritedSettings(parent);
}

/** First signal: unwind. Second: stop everything at once and leave. */
function onSignal(): void {
  if (interrupt.signal.aborted) {
    emergency.runAll();
    process.exit(exitStatus.interrupted);
  }
  // First, so that a live view makes room for what is said.
  interrupt.abort();
  context.err('\ninterrupted: stopping what was started (press again to stop at once)\n');
}

/** A reader that goes away (mpsbench … | head) is no fault of ours; a full disk is told. */
function onLostOutput(error: Error): void {
  if (codeOf(error) === 'EPIPE') process.exit(exitStatus.done);
  const what = `cannot write the result to standard output: ${messageOf(error)}`;
  leave(new MpsbenchError('OUTPUT_NOT_WRITABLE', `${what}; send it to a place with room`, { cause: error }));
}

function leave(thrown: unknown): void {
  process.exit(report(thrown));
}

/** One line for people; an error that was hidden by a failing cleanup is told first. */
function report(thrown: unknown): ExitStatus {
  if (thrown instanceof CommanderError) return reportUsage(thrown);
  const suppressed = thrown instanceof Error && 'suppressed' in thrown ? thrown.suppressed : undefined;
  if (suppressed !== undefined) {
    const first = report(suppressed);
    if (thrown instanceof Error && 'error' in thrown) report(thrown.error);
    return first;
  }
  if (isInterrupted(thrown)) return exitStatus.interrupted;
  if (thrown instanceof MpsbenchError) {
    context.err(`mpsbench: ${thrown.code}: ${printable(thrown.message)}\n`);
    return thrown.exitStatus;
  }
  if (codeOf(thrown) === 'EMFILE' || codeOf(thrown) === 'ENFILE') return report(tooFewFiles(thrown));
  context.err(`mpsbench: a bug: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  return exitStatus.failed;
}

function tooFewFiles(cause: unknown): MpsbenchError {
  const advice = 'raise the limit in the shell that starts mpsbench (ulimit -n 4096)';
  return new MpsbenchError('OPEN_FILE_LIMIT', `no more files can be opened here: ${messageOf(cause)}; ${advice}`);
}

function reportUsage(error: CommanderError): ExitStatus {
  if (error.exitCode === 0) return exitStatus.done;
  if (isUsageError(error)) {
    const names = root.commands.map((command) => command.name());
    const command = names.find((name) => name === process.argv[2]) ?? null;
    context.err(`mpsbench: USAGE: ${usageMessage(error, { commands: names, command })}\n`);
  }
  return exitStatus.usage;
}
