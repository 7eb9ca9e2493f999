/** What a plan may say of a server that is any program: how it is launched, asked, checked and stopped. */
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { seconds } from '../../core/units.ts';
import { cpuListValue, positiveDurationValue } from '../plan-values.ts';
import { isPlaceholder, placeholderNames, placeholdersIn, splitArguments } from './argument-text.ts';
import { expectedAnswerSchema, requestBodiesSchema, requestHeadersSchema, requestMethodSchema } from './request.ts';

const nonEmpty = z.string({ error: 'needs text' }).min(1, 'must not be empty');
const path = z.string().regex(/^\/\S*$/, 'must begin with / and hold no blanks');

/** Text, or a list of arguments that are taken as they are. */
const launchSchema = z
  .union([z.string(), z.array(z.string()).min(1)], { error: 'needs text, or a list of arguments' })
  .superRefine((launch, context) => {
    const problem = launchProblem(launch);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

/** Names that the plan may not set, and why. */
const ownVariables: readonly (readonly [RegExp, string])[] = [
  [/^CUDA_MPS_/, 'is set by the arm; leave it out'],
  [/^MPSBENCH_SERVER_ID$/, 'is set by mpsbench; leave it out'],
];

const environmentSchema = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of a variable'), z.string())
  .superRefine((variables, context) => {
    for (const [name, value] of Object.entries(variables)) {
      const own = ownVariables.find(([pattern]) => pattern.test(name))?.[1];
      const problem = own ?? placeholderProblem(value);
      if (problem !== null) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  })
  .default({});

export const commandServerSchema = z
  .strictObject({
    kind: z.literal('command'),
    /** The program and its arguments, split at blanks; no shell sees them. {port} and its like are filled in. */
    launch: launchSchema,
    /** Directory to start it in; null = where mpsbench runs. */
    cwd: nonEmpty.nullable().default(null),
    /** Further variables; {port} and its like are filled in. */
    environment: environmentSchema,
    request: z
      .strictObject({
        path: path.default('/'),
        method: requestMethodSchema,
        headers: requestHeadersSchema,
        bodies: requestBodiesSchema,
      })
      .default({ path: '/', method: 'POST', headers: {}, bodies: [] }),
    /** Asked by GET until it answers with this status. */
    ready: z
      .strictObject({ path: path.default('/'), status: z.number().int().min(100).max(599).default(200) })
      .default({ path: '/', status: 200 }),
    stop: z
      .strictObject({
        signal: z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP']).default('SIGTERM'),
        /** From that signal to SIGKILL. */
        timeout: positiveDurationValue.default(seconds(10)),
      })
      .default({ signal: 'SIGTERM', timeout: seconds(10) }),
    expect: expectedAnswerSchema,
    /** Whether workers make CUDA contexts; auto = taken for granted, and for arms with MPS proved. */
    workersUseCuda: z.union([z.literal('auto'), z.boolean()]).default('auto'),
    /** per-worker: the program is started once per worker. one: once, and makes {workers} workers itself. */
    processes: z.enum(['per-worker', 'one']).default('per-worker'),
    /** What it runs, for the report; null = the launch text. */
    description: nonEmpty.nullable().default(null),
    /** CPUs of every process of the server. */
    cpus: cpuListValue,
  })
  .superRefine((plan, context) => {
    if (mentions(plan, 'port', 'MPSBENCH_PORT')) return;
    const message = 'names no {port}: the program must listen where it is told, on {host}, which is 127.0.0.1';
    context.addIssue({ code: 'custom', path: ['launch'], message });
  });
export type CommandPlan = z.infer<typeof commandServerSchema>;

type Launched = Pick<CommandPlan, 'launch' | 'environment'>;

/** Whether launch or environment say a placeholder, or the variable that has the same value. */
export function mentions({ launch, environment }: Launched, name: string, variable: string): boolean {
  const texts = [...(typeof launch === 'string' ? [launch] : launch), ...Object.entries(environment).flat()];
  return texts.some((text) => text.includes(variable) || placeholdersIn(text).includes(name));
}

/** Program and arguments, placeholders as they are. */
export function launchArguments({ launch }: Pick<CommandPlan, 'launch'>): readonly string[] {
  return typeof launch === 'string' ? splitArguments(launch) : launch;
}

function launchProblem(launch: string | readonly string[]): string | null {
  try {
    const [program] = typeof launch === 'string' ? splitArguments(launch) : launch;
    if (program === undefined || program === '') return 'names no program';
  } catch (thrown) {
    return (thrown as RangeError).message;
  }
  return placeholderProblem(typeof launch === 'string' ? launch : launch.join(' '));
}

function placeholderProblem(text: string): string | null {
  const unknown = placeholdersIn(text).find((name) => !isPlaceholder(name));
  if (unknown === undefined) return null;
  const near = closest(unknown, [...placeholderNames]);
  return `has an unknown {${unknown}}; did you mean {${near}}? A brace that means itself is doubled: {{${unknown}}}`;
}
