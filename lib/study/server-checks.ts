/** Checks of what a plan's server needs on this host before its first start: programs, versions and files. */
import type { ServerPlan } from '../records/plan.ts';
import type { KservePlan } from '../records/server-plans/kserve.ts';
import { bodyNeeds, type CommandNeed, commandNeeds } from '../server/command/requirements.ts';
import { fileRequirements, programRequirements, type Requirement } from '../server/torchserve/requirements.ts';
import { type Finding, findingsIn } from './finding.ts';

const say = findingsIn('server');

/** One finding per requirement; what is missing blocks the whole study. A kind that needs nothing gives none. */
export async function serverFindings(plan: ServerPlan, signal: AbortSignal): Promise<Finding[]> {
  switch (plan.kind) {
    case 'embedded':
      return [];
    case 'attached':
      return bodyNeeds(plan.bodies, 'server.bodies').map(needFinding);
    case 'command':
      return commandNeeds(plan).map(needFinding);
    case 'torchserve':
      return [...(await programRequirements(plan, signal)), ...fileRequirements(plan)].map(findingOf);
    case 'kserve':
      return oneContextFindings(plan);
  }
}

/** For a check without a plan: the programs alone, as a plan that names none of them would find them. */
export async function torchserveFindings(signal: AbortSignal): Promise<Finding[]> {
  const found = await programRequirements({ java: null, torchserve: null, python: null }, signal);
  return found.map(findingOf);
}

/** Instances of one process are threads on one CUDA context: to MPS they are a single client. */
function oneContextFindings({ launch, processes, workerProcess }: KservePlan): Finding[] {
  if (launch === null || processes === 'per-worker' || workerProcess !== null) return [];
  const message = 'instances of a model in one server process share its CUDA context, and MPS cannot change how';
  const mend =
    'set server.processes to per-worker for a server each, or, where instances are processes (Python backend), name them as server.workerProcess, such as triton_python_backend_stub';
  return [say.warning('kserve-one-context', 'server.launch', message, mend)];
}

function findingOf({ code, subject, met, message, mend }: Requirement): Finding {
  const name = code.startsWith('torchserve') ? code : `torchserve-${code}`;
  if (met || mend === null) return say.passed(name, subject, message);
  return say.blocker('everything', name, subject, message, mend);
}

function needFinding({ code, subject, problem, mend }: CommandNeed): Finding {
  if (problem === null) return say.passed(code, subject, 'is there');
  return say.blocker('everything', code, subject, problem, mend);
}
