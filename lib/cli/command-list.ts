/** The commands as `mpsbench --help` lists them; only the one that is to run is loaded, so that it starts at once. */
import { Command } from 'commander';
import type { CliContext } from './context.ts';

export interface ListedCommand {
  readonly name: string;
  /** What stands behind its name and [options]. */
  readonly operands: string;
  readonly description: string;
  readonly load: () => Promise<(context: CliContext) => Command>;
}

/** Words and operands are those of the command itself; a test compares them. */
export const listedCommands: readonly ListedCommand[] = [
  {
    name: 'study',
    operands: '[plan.yaml]',
    description: 'run the plan over workers × batch size × arm and say whether MPS is worth it here',
    load: async () => (await import('./commands/study.ts')).studyCommand,
  },
  {
    name: 'load',
    operands: '<url>',
    description: 'load an HTTP server and report throughput, errors and latency',
    load: async () => (await import('./commands/load.ts')).loadCommand,
  },
  {
    name: 'load-worker',
    operands: '',
    description: 'send the shares of loads that mpsbench load or study --load-hosts hands out, until Ctrl-C',
    load: async () => (await import('./commands/load-worker.ts')).loadWorkerCommand,
  },
  {
    name: 'probe',
    operands: '',
    description: 'one snapshot of the host: driver, devices, memory, processes with their role, MPS state',
    load: async () => (await import('./commands/probe.ts')).probeCommand,
  },
  {
    name: 'watch',
    operands: '',
    description: 'live view of the GPUs: memory by holder, who is attached to MPS and who fell back',
    load: async () => (await import('./commands/watch.ts')).watchCommand,
  },
  {
    name: 'context',
    operands: '',
    description: 'measure what a CUDA context costs here: clients × arm, device memory, creation time, client limit',
    load: async () => (await import('./commands/context.ts')).contextCommand,
  },
  {
    name: 'doctor',
    operands: '',
    description: 'check the host for a study and name the mend for each finding',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  {
    name: 'serve',
    operands: '',
    description: "serve the embedded model with TorchServe's inference and management paths until Ctrl-C",
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  {
    name: 'agent',
    operands: '',
    description: 'answer for this GPU host over HTTP: metrics for Prometheus, snapshots, samples',
    load: async () => (await import('./commands/agent.ts')).agentCommand,
  },
  {
    name: 'report',
    operands: '<directory>',
    description: 're-derive summary, tables and figures of a study from its records',
    load: async () => (await import('./commands/report.ts')).reportCommand,
  },
  {
    name: 'verify',
    operands: '<directory>',
    description: 'check that no byte of a study was changed: records by digest, reports made again',
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  },
  {
    name: 'compare',
    operands: '<base> <candidate>',
    description: 'compare two studies, or load results before and after a change, with an exit status for CI',
    load: async () => (await import('./commands/compare.ts')).compareCommand,
  },
];

/** All commands in the order of the list: the one that `args` names complete, the others as the list has them. */
export async function commandsFor(args: readonly string[], context: CliContext): Promise<Command[]> {
  const wanted = wantedCommand(args);
  return await Promise.all(
    listedCommands.map(async (listed) => (listed.name === wanted ? (await listed.load())(context) : stub(listed))),
  );
}

/** `mpsbench help load` wants load as much as `mpsbench load` does. No option before the command takes a value. */
function wantedCommand(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  return first === 'help' ? second : first;
}

/** For the help and for messages; every command has --json. */
function stub({ name, operands, description }: ListedCommand): Command {
  const command = new Command(name).description(description).option('--json');
  return operands === '' ? command : command.arguments(operands);
}
