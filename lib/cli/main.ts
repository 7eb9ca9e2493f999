#!/usr/bin/env node
/** Dispatch, signals and exit status; the only place that ends the process or writes to its streams. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { emergencyStops } from '../core/emergency.ts';
import { type ExitStatus, exitStatus, isInterrupted, MpsbenchError } from '../core/errors.ts';
import { reportCommand } from './commands/report.ts';
import type { CliContext } from './context.ts';

const emergency = emergencyStops();
const interrupt = new AbortController();
let status: ExitStatus = exitStatus.done;

const context: CliContext = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
  signal: interrupt.signal,
  emergency,
  paths: {
    nvml: process.env.MPSBENCH_NVML_LIBRARY ?? null,
    cuda: process.env.MPSBENCH_CUDA_LIBRARY ?? null,
    mpsControl: process.env.MPSBENCH_MPS_CONTROL ?? null,
  },
  exit: (value) => {
    status = value;
  },
};

/** First signal: unwind. Second: stop everything at once and leave. */
function onSignal(): void {
  if (interrupt.signal.aborted) {
    emergency.runAll();
    process.exit(exitStatus.interrupted);
  }
  context.err('\ninterrupted: stopping what was started (press again to stop at once)\n');
  interrupt.abort();
}

function program(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return new Command('mpsbench')
    .description('Is NVIDIA MPS worth enabling for this inference deployment? Measured, on this host.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(see mpsbench <command> --help)')
    .exitOverride();
}

/** One line for people; an error that was hidden by a failing cleanup is told first. */
function report(thrown: unknown): ExitStatus {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  const suppressed = thrown instanceof Error && 'suppressed' in thrown ? thrown.suppressed : undefined;
  if (suppressed !== undefined) {
    const first = report(suppressed);
    if (thrown instanceof Error && 'error' in thrown) report(thrown.error);
    return first;
  }
  if (isInterrupted(thrown)) return exitStatus.interrupted;
  if (thrown instanceof MpsbenchError) {
    context.err(`mpsbench: ${thrown.code}: ${thrown.message}\n`);
    return thrown.exitStatus;
  }
  context.err(`mpsbench: a bug: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  return exitStatus.failed;
}

process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
process.on('SIGHUP', onSignal);
process.on('exit', () => emergency.runAll());
// A reader that goes away (mpsbench … | head) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.done);
});

try {
  const root = program();
  for (const command of commands(context)) root.addCommand(inherit(root, command));
  await root.parseAsync(process.argv);
  process.exitCode = status;
} catch (thrown) {
  process.exitCode = report(thrown);
}

/** Commander's settings are not handed down by addCommand. */
function inherit(root: Command, command: Command): Command {
  return command.copyInheritedSettings(root);
}

function commands(cli: CliContext): Command[] {
  return [reportCommand(cli)];
}
