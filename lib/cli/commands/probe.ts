/** `mpsbench probe`: one snapshot of the host's GPUs, their processes and MPS; again and again with --watch. */
import process from 'node:process';
import { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import type { Nanoseconds } from '../../core/units.ts';
import { type GpuSession, openGpu } from '../../gpu/session.ts';
import { jsonSchemaVersion } from '../../records/document-version.ts';
import { type HostSnapshot, hostSnapshot } from '../../study/host-snapshot.ts';
import type { PreflightFacts } from '../../study/preflight-check.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { readHostFacts } from '../host-facts.ts';
import { positiveDurationValue } from '../option-values.ts';
import { renderProbe, renderTick } from '../render/snapshot.ts';
import { outputTerminal } from '../terminal.ts';

interface ProbeOptions {
  readonly json?: true;
  readonly watch?: Nanoseconds;
  readonly withEnergy?: true;
  readonly wide?: true;
}

const help = `
Examples:
  mpsbench probe
  mpsbench probe --json
  mpsbench probe --watch 1s     redraws on a terminal; else one line per device and tick (one document with --json)

What can not be read is printed as n/a with the reason, never as 0. Without a working driver: one line, exit status 1.`;

export function probeCommand(context: CliContext): Command {
  return new Command('probe')
    .description('one snapshot of the host: driver, devices, memory, processes with their role, MPS state')
    .option('--json', 'one JSON document on standard output')
    .option('--watch <period>', 'look again every period, such as 1s, until Ctrl-C', positiveDurationValue)
    .option('--with-energy', 'also read the total energy counter (slow: 3.4 ms per device)')
    .option('--wide', 'every column, also where the terminal has no room for it')
    .addHelpText('after', help)
    .action(async (options: ProbeOptions) => {
      using session = openGpu({ nvmlPath: context.paths.nvml });
      // Asking daemons leaves a line in their logs, so MPS is asked once, not on every tick.
      const facts = await readHostFacts(context, { plannedWorkers: 1, withContexts: false });
      if (options.watch === undefined) return context.out(renderOnce(probe(session, facts, options), options));
      await watch(context, session, facts, { ...options, watch: options.watch });
    });
}

async function watch(
  context: CliContext,
  session: GpuSession,
  facts: PreflightFacts,
  options: ProbeOptions & { readonly watch: Nanoseconds },
): Promise<void> {
  const redraws = process.stdout.isTTY === true && context.interactive && !options.json;
  for (;;) {
    const result = probe(session, facts, options);
    if (redraws) context.out(`\u001b[H\u001b[2J${rendered(result, options)}`);
    else if (options.json)
      context.out(`${JSON.stringify({ schemaVersion: jsonSchemaVersion, kind: 'probe', ...result })}\n`);
    else context.out(renderTick(result));
    await systemClock.sleep(options.watch, context.signal);
  }
}

function probe(session: GpuSession, facts: PreflightFacts, options: ProbeOptions): HostSnapshot {
  return hostSnapshot(session.snapshot({ withEnergy: options.withEnergy === true }), facts);
}

function renderOnce(result: HostSnapshot, options: ProbeOptions): string {
  return options.json ? jsonDocument('probe', result) : rendered(result, options);
}

/** Its size may change between two looks; a file or a pipe takes every column. */
function rendered(result: HostSnapshot, { wide }: ProbeOptions): string {
  return renderProbe(result, wide ? null : outputTerminal().width);
}
