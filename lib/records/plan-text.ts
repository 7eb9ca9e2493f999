/** A plan as text: read from YAML with errors that name the key and the line, and written back in the form it is read in. */
import { closest } from 'fastest-levenshtein';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { armName, parseArm } from './arm.ts';
import { loadPlanSchema, type RequestedPlan, type StudyPlan, serverPlanSchema, studyPlanSchema } from './plan.ts';
import { exactDuration } from './plan-values.ts';
import { withGridOfEndpoints } from './server-plans/grid.ts';
import { requestedServer } from './server-plans/requested-server.ts';
import { warmupForm } from './warmup-value.ts';

type Path = readonly PropertyKey[];

/** Where a value of the plan came from, for people: "plan.yaml line 4" or "--workers". */
export type Locate = (path: Path) => string | null;

export interface PlanDocument {
  /** What was written, not validated. */
  readonly value: Record<string, unknown>;
  readonly locate: Locate;
}

/** Parses YAML. Throws PLAN_INVALID with the line of a syntax error, a duplicate key or a plan that is not a map. */
export function parsePlanText(text: string, source: string): PlanDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0];
  if (problem) {
    const { line } = lines.linePos(problem.pos[0]);
    throw new MpsbenchError('PLAN_INVALID', `${source} line ${line}: ${problem.message}; mend the YAML there`);
  }
  const value = plainValue(document, source);
  if (value !== null && !isMap(document.contents)) {
    throw new MpsbenchError(
      'PLAN_INVALID',
      `${source}: a plan is a map of keys such as 'workers: [1, 2]'; this is not one`,
    );
  }
  return {
    value: (value ?? {}) as Record<string, unknown>,
    locate: (path) => {
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true) as
          | { range?: [number, number, number] | null }
          | undefined;
        if (node?.range) return `${source} line ${lines.linePos(node.range[0]).line}`;
      }
      return null;
    },
  };
}

/** Aliases are resolved here, not while parsing: one without an anchor is a fault of the text too. */
function plainValue(document: Document, source: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new MpsbenchError('PLAN_INVALID', `${source}: ${messageOf(cause)}; mend the YAML there`, { cause });
  }
}

/**
 * Validates what was written and fills in the defaults. Throws PLAN_INVALID with one line for the first problem:
 * where it stands, which key, what is wrong, and the nearest valid key where one was misspelt.
 */
export function validatePlan(value: unknown, locate: Locate): StudyPlan {
  const result = studyPlanSchema.safeParse(withGridOfEndpoints(value));
  if (result.success) return result.data;
  const issues = result.error.issues;
  // A misspelt key explains the errors that follow from its absence.
  const issue = issues.find((candidate) => candidate.code === 'unrecognized_keys') ?? issues[0];
  if (!issue) throw new MpsbenchError('PLAN_INVALID', 'the plan is not valid');
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  throw new MpsbenchError('PLAN_INVALID', `${describe(issue, locate)}${more}`);
}

/** The complete plan in the form that a user writes: durations and sizes as text with a unit. */
export function requestedForm(plan: StudyPlan): RequestedPlan {
  const { duration, ...load } = plan.load;
  return {
    ...plan,
    arms: plan.arms.map((name) => armName(parseArm(name))),
    server: requestedServer(plan.server),
    load: {
      ...load,
      ...(duration === undefined ? {} : { duration: exactDuration(duration) }),
      warmup: warmupForm(plan.load.warmup),
      timeout: exactDuration(plan.load.timeout),
    },
    gpu: {
      ...plan.gpu,
      samplePeriod: exactDuration(plan.gpu.samplePeriod),
      foreignMemoryLimit: `${plan.gpu.foreignMemoryLimit}B`,
    },
    readyTimeout: exactDuration(plan.readyTimeout),
  };
}

function describe(issue: z.core.$ZodIssue, locate: Locate): string {
  const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path: Path = key === undefined ? issue.path : [...issue.path, key];
  const where = locate(path);
  const name = pathText(path);
  const what = key === undefined ? issue.message : `unknown key${nearest(key, issue.path)}`;
  return where?.startsWith('--') ? `${where}: ${what}` : `${where ? `${where}: ` : ''}${name}: ${what}`;
}

function nearest(key: string, path: Path): string {
  const keys = knownKeys(path);
  return keys.length === 0 ? '' : `; did you mean '${closest(key, keys)}'?`;
}

function knownKeys(path: Path): string[] {
  const first = path[0];
  if (first === undefined) return Object.keys(studyPlanSchema.def.shape);
  if (first === 'load') return Object.keys(loadPlanSchema.shape);
  // The keys of its parts are told by no suggestion.
  if (path.length > 1) return [];
  if (first === 'server') return serverPlanSchema.options.flatMap((option) => Object.keys(option.shape));
  if (first === 'gpu') return ['device', 'samplePeriod', 'foreignMemoryLimit'];
  return [];
}

function pathText(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : String(part)))
    .join('.')
    .replaceAll('.[', '[');
}
