/** A plan as text: read from YAML with errors that name the key and the line, and written back in the form it is read in. */
import { closest } from 'fastest-levenshtein';
import type { z } from 'zod';
import { MpsbenchError } from '../core/errors.ts';
import { armName, parseArm } from './arm.ts';
import { loadPlanSchema, type RequestedPlan, type StudyPlan, serverPlanSchema, studyPlanSchema } from './plan.ts';
import { exactDuration } from './plan-values.ts';
import { withGridOfEndpoints } from './server-plans/grid.ts';
import { requestedServer } from './server-plans/requested-server.ts';
import { warmupForm } from './warmup-value.ts';
import { type Path, parseYamlMap, pathText, type YamlMap } from './yaml-map.ts';

/** Where a value of the plan came from, for people: "plan.yaml line 4" or "--workers". */
export type Locate = (path: Path) => string | null;

export type PlanDocument = YamlMap;

/** Parses YAML. Throws PLAN_INVALID with the line of a syntax error, a duplicate key or a plan that is not a map. */
export function parsePlanText(text: string, source: string): PlanDocument {
  const notMap = "a plan is a map of keys such as 'workers: [1, 2]'; this is not one";
  return parseYamlMap(text, source, { code: 'PLAN_INVALID', notMap });
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
