/** Checks of what a plan's server needs on this host before its first start: programs, versions and files. */
import type { ServerPlan } from '../records/plan.ts';
import { fileRequirements, programRequirements, type Requirement } from '../server/torchserve/requirements.ts';
import { type Finding, findingsIn } from './finding.ts';

const say = findingsIn('server');

/** One finding per requirement; what is missing blocks the whole study. A kind that needs nothing gives none. */
export async function serverFindings(plan: ServerPlan, signal: AbortSignal): Promise<Finding[]> {
  switch (plan.kind) {
    case 'embedded':
      return [];
    case 'torchserve':
      return [...(await programRequirements(plan, signal)), ...fileRequirements(plan)].map(findingOf);
  }
}

/** For a check without a plan: the programs alone, as a plan that names none of them would find them. */
export async function torchserveFindings(signal: AbortSignal): Promise<Finding[]> {
  const found = await programRequirements({ java: null, torchserve: null, python: null }, signal);
  return found.map(findingOf);
}

function findingOf({ code, subject, met, message, mend }: Requirement): Finding {
  const name = code.startsWith('torchserve') ? code : `torchserve-${code}`;
  if (met || mend === null) return say.passed(name, subject, message);
  return say.blocker('everything', name, subject, message, mend);
}
