/** The keys of a server that is either started by a command line or already there: shared by several kinds. */
import { z } from 'zod';
import { positiveInteger } from '../plan-values.ts';
import { placeholdersIn, splitArguments } from './argument-text.ts';
import { requestHeadersSchema } from './request.ts';

export const nonEmptyText = z.string({ error: 'needs text' }).min(1, 'must not be empty');

const launchText = nonEmptyText.superRefine((text, context) => {
  const problem = splitProblem(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** Spread into the strict object of a kind; `exactlyOneStart` goes with it. */
export const launchKeys = {
  /**
   * Program and arguments, split at blanks; no shell sees them. {host}, {port}, {grpcPort}, {metricsPort}, {workers},
   * {batchSize}, {deviceUuid} and {logDirectory} are filled in.
   */
  launch: z
    .union([launchText, z.array(nonEmptyText).min(1)])
    .nullable()
    .default(null),
  /** Directory to start it in; null = where mpsbench runs. */
  cwd: nonEmptyText.nullable().default(null),
  /** Variables of the server, with the same placeholders as `launch`. The arm's own win over them. */
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of a variable'), z.string())
    .default({}),
  /** Base URL of a server that is already running, instead of `launch`. */
  url: z
    .string({ error: 'needs a URL' })
    .regex(/^https?:\/\/[^/?#\s]+(\/[^?#\s]*)?$/, 'must be a base URL such as http://127.0.0.1:8000')
    .nullable()
    .default(null),
  /** Sent with every request, such as an access token. They are kept in the study's plan.yaml as they are. */
  headers: requestHeadersSchema,
  /** Of a server that is already running: the processes that hold its CUDA contexts, for the proof of the arm. */
  pids: z.array(positiveInteger).default([]),
  /**
   * Text in the command line of the processes that are the workers, among those that `launch` started; null = those
   * that hold the device, or the started process itself where none does.
   */
  workerProcess: nonEmptyText.nullable().default(null),
};

function splitProblem(text: string): string | null {
  try {
    return splitArguments(text).length > 0 ? null : 'names no program';
  } catch (thrown) {
    return (thrown as RangeError).message;
  }
}

export interface LaunchPlan {
  readonly launch: string | readonly string[] | null;
  readonly cwd: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly url: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly pids: readonly number[];
  readonly workerProcess: string | null;
}

/** For `superRefine`: one of `launch` and `url`. */
export function exactlyOneStart(
  plan: Pick<LaunchPlan, 'launch' | 'url'>,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  if ((plan.launch === null) !== (plan.url === null)) return;
  const given = plan.launch === null ? 'neither is given' : 'both are given';
  const message = `name either launch (a command line) or url (a server that runs already); ${given}`;
  context.addIssue({ code: 'custom', path: ['launch'], message });
}

/** For `refine`, with its problem: processes inherit the CPUs of what starts them, and a server that runs has its own. */
export function cpusCanBeSet({ url, cpus }: { readonly url: string | null; readonly cpus: string | null }): boolean {
  return url === null || cpus === null;
}
export const cpusCannotBeSet = {
  message:
    'a server that runs already cannot be kept to CPUs; leave cpus out and start the server on them (taskset), or give launch instead of url',
  path: ['cpus'],
};

/** Whether the command line or the variables tell the server its scale. */
export function launchTellsScale({ launch, environment }: LaunchPlan): boolean {
  const texts = [...(typeof launch === 'string' ? [launch] : (launch ?? [])), ...Object.values(environment)];
  return texts.some((text) => placeholdersIn(text).some((name) => name === 'workers' || name === 'batchSize'));
}
