/** The options of `study` that change the plan, and how they are laid over a plan file. */
import { type Command, Option } from 'commander';
import { MpsbenchError } from '../core/errors.ts';
import type { StudyPlan } from '../records/plan.ts';
import { type PlanDocument, parsePlanText, validatePlan } from '../records/plan-text.ts';
import { quickPlan } from '../study/quick-plan.ts';
import { readAbConfig } from './ab-config.ts';
import { courseOptions, numberIn as number, type PlanOption } from './course-options.ts';
import { loadPlanOptions } from './load-plan-options.ts';
import { readPlanFile } from './plan-file.ts';

const list = (text: string): string[] => text.split(',').map((item) => item.trim());
const numbers = (text: string): (number | string)[] => list(text).map(number);
const verbatim = (text: string): string => text;

const planOptions: readonly PlanOption[] = [
  { flags: '--workers <list>', description: 'numbers of workers, such as 1,2,4', path: ['workers'], read: numbers },
  { flags: '--batch-size <list>', description: 'batch sizes, such as 1,4,8', path: ['batchSizes'], read: numbers },
  {
    flags: '--sharing <list>',
    description: 'arms: off, mps, mps:P (P = active thread percentage)',
    path: ['arms'],
    read: list,
  },
  {
    flags: '--blocks <n>',
    description: 'passes over all cells; arms are compared within them',
    path: ['blocks'],
    read: number,
  },
  ...courseOptions,
  ...loadPlanOptions,
  {
    flags: '--server-cpus <list>',
    description: 'CPUs that every process of the server is kept to',
    path: ['server', 'cpus'],
    read: verbatim,
  },
  { flags: '--seed <n>', description: 'seed of order and payload', path: ['seed'], read: number },
  {
    flags: '--restart <what>',
    description: 'server anew for each trial, or kept for an arm within a block: trial, arm or auto',
    path: ['restart'],
    read: verbatim,
  },
  {
    flags: '--server <kind>',
    description: 'kind of server: embedded, torchserve, kserve, openai, command or attached',
    path: ['server', 'kind'],
    read: verbatim,
  },
  {
    flags: '--workload <kind>',
    description: 'embedded server: auto, cuda, cpu or fixed:5ms',
    path: ['server', 'workload'],
    read: verbatim,
  },
  {
    flags: '--model <name>',
    description:
      'embedded server: auto, tiny, small or bert-base; torchserve: a .mar or its URL; kserve, openai: its name',
    path: ['server', 'model'],
    read: verbatim,
  },
  {
    flags: '--torchserve <path>',
    description: 'program of TorchServe (default: on PATH)',
    path: ['server', 'torchserve'],
    read: verbatim,
  },
  {
    flags: '--launch <command>',
    description: 'kserve, openai, command: command line that starts the server, with {port}, {workers}, {batchSize}',
    path: ['server', 'launch'],
    read: verbatim,
  },
  {
    flags: '--server-url <url>',
    description: 'kserve, openai: base URL of a server that runs already, instead of --launch',
    path: ['server', 'url'],
    read: verbatim,
  },
  { flags: '--java <home>', description: 'home of Java 17 for TorchServe', path: ['server', 'java'], read: verbatim },
  {
    flags: '--device <index|uuid>',
    description: 'GPU to study (default: the first)',
    path: ['gpu', 'device'],
    read: verbatim,
  },
  {
    flags: '--threshold <ratio>',
    description: 'difference that matters in practice, 0.03 = 3 %',
    path: ['thresholdRatio'],
    read: number,
  },
  {
    flags: '--objective <what>',
    description: 'best in what: throughput, throughput-per-gib, p99 or memory',
    path: ['objective'],
    read: verbatim,
  },
  {
    flags: '--memory-headroom <ratio>',
    description: 'share of the peak to leave free where it is said how many workers fit, 0.05 = 5 %',
    path: ['memoryHeadroomRatio'],
    read: number,
  },
  {
    flags: '--constraint <condition>',
    description: "the recommended configuration must meet it, such as 'p99 < 50ms'; may be repeated",
    path: ['constraints'],
    repeatable: true,
    read: verbatim,
  },
];

export function addPlanOptions(command: Command): Command {
  for (const option of planOptions) command.addOption(commanderOption(option));
  return command
    .option('--quick', 'a short study: under a minute on two cores, two and a half with MPS arms')
    .option('--ab-config <file>', "config.json of TorchServe's benchmark-ab.py, as a plan for --server torchserve");
}

/** Names of the plan options that were given, for messages. */
export function givenPlanOptions(command: Command): string[] {
  const given = planOptions.filter((option) => textOf(command, option) !== undefined).map((option) => longName(option));
  const { quick, abConfig } = command.opts<OtherOptions>();
  return [...given, ...(quick ? ['--quick'] : []), ...(abConfig === undefined ? [] : ['--ab-config'])];
}

/**
 * Reads the plan file or --ab-config (if any), lays --quick beneath it and the options over it, and validates the
 * whole; `say` is given a line for each key of --ab-config. Throws USAGE, PLAN_UNREADABLE or PLAN_INVALID; a fault in
 * an option is told with the option's name.
 */
export async function planFrom(
  command: Command,
  file: string | undefined,
  say: (line: string) => void,
): Promise<StudyPlan> {
  const given = planOptions.filter((option) => textOf(command, option) !== undefined);
  const { quick, abConfig } = command.opts<OtherOptions>();
  if (abConfig !== undefined && (quick || file !== undefined)) {
    throw new MpsbenchError('USAGE', `--ab-config is a whole plan: leave out ${file ?? '--quick'}`);
  }
  const document = await documentOf(file, abConfig, given, say);
  const base = quick ? structuredClone(quickPlan) : {};
  const requested = merged(base as Record<string, unknown>, document.value);
  if (command.opts().requests !== undefined && command.opts().duration !== undefined) {
    throw new MpsbenchError('USAGE', '--requests and --duration exclude each other; give one of them');
  }
  for (const option of given) setAt(requested, option.path, givenValue(command, option));
  const server = requested.server;
  if (typeof server === 'object' && server !== null && !('kind' in server)) Object.assign(server, { kind: 'embedded' });
  return validatePlan(requested, (path) => {
    const option = given.find((candidate) => candidate.path.every((part, index) => path[index] === part));
    return option ? longName(option) : document.locate(path);
  });
}

/**
 * The given options as choices over a plan of an agent. Throws USAGE for one that says what is run, as that plan does.
 */
export function choicesFrom(command: Command, isChoice: (path: readonly string[]) => boolean): Record<string, unknown> {
  const given = planOptions.filter((option) => textOf(command, option) !== undefined);
  const chosen = given.filter(({ path }) => isChoice(path)).map(longName);
  const foreign = givenPlanOptions(command).filter((name) => !chosen.includes(name));
  if (foreign.length > 0) {
    const what = `${foreign.join(', ')} cannot be chosen with --agent`;
    throw new MpsbenchError('USAGE', `${what}; have the agent's plan changed, and leave it out here`);
  }
  const choices: Record<string, unknown> = {};
  for (const option of given) setAt(choices, option.path, givenValue(command, option));
  return choices;
}

interface OtherOptions {
  readonly quick?: boolean;
  readonly abConfig?: string;
}

async function documentOf(
  file: string | undefined,
  abConfig: string | undefined,
  given: readonly PlanOption[],
  say: (line: string) => void,
): Promise<PlanDocument> {
  if (abConfig === undefined) {
    if (file === undefined) return emptyDocument;
    return parsePlanText(await readPlanFile(file, 'plan', 'name a YAML file, or none for the default plan'), file);
  }
  const duration = given.find((option) => option.path[1] === 'duration');
  const { document, lines } = await readAbConfig(abConfig, (path) => {
    const option = given.find((candidate) => candidate.path.join('.') === path.join('.'));
    // Measuring by time takes the place of measuring by number.
    const winner = option ?? (path[1] === 'requests' ? duration : undefined);
    return winner ? longName(winner) : null;
  });
  for (const line of lines) say(line);
  return document;
}

const emptyDocument: PlanDocument = { value: {}, locate: () => null };

function longName(option: PlanOption): string {
  return option.flags.split(' ')[0] as string;
}

function commanderOption({ flags, description, repeatable }: PlanOption): Option {
  const option = new Option(flags, description);
  if (!repeatable) return option;
  return option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
}

function textOf(command: Command, option: PlanOption): string | readonly string[] | undefined {
  return command.opts<Record<string, string | readonly string[] | undefined>>()[
    new Option(option.flags).attributeName()
  ];
}

function givenValue(command: Command, option: PlanOption): unknown {
  const given = textOf(command, option);
  return typeof given === 'string' ? option.read(given) : given?.map((text) => option.read(text));
}

/** Measuring by time and by number exclude each other: the one that is laid over removes the other. */
function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    if (head === 'requests') delete target.duration;
    if (head === 'duration') delete target.requests;
    target[head] = value;
    return;
  }
  const inner = target[head];
  if (typeof inner !== 'object' || inner === null) target[head] = {};
  setAt(target[head] as Record<string, unknown>, rest, value);
}

function merged(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    const bothMaps = isMap(below) && isMap(value);
    result[key] = bothMaps ? merged(below, value) : value;
  }
  return result;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
