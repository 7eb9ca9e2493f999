/** The checks before a study, as one pure function from facts to findings. `preflight-facts.ts` gathers the facts. */
import { contextChecks } from './context-checks.ts';
import { deviceChecks } from './device-checks.ts';
import { driverChecks } from './driver-checks.ts';
import { type Finding, findingGroups } from './finding.ts';
import { hostChecks } from './host-checks.ts';
import { leftoverChecks, mpsChecks } from './mps-checks.ts';
import type { Check, PreflightFacts } from './preflight-check.ts';
import { variableChecks } from './variable-checks.ts';

const checks: readonly Check[] = [
  ...hostChecks,
  ...driverChecks,
  ...deviceChecks,
  ...contextChecks,
  ...mpsChecks,
  ...variableChecks,
  ...leftoverChecks,
];

const severityOrder = ['blocker', 'warning', 'info', 'ok'] as const;

/** Every finding, grouped, the worst of a group first. Pure: same facts, same findings. */
export function preflight(facts: PreflightFacts): Finding[] {
  const rank = (finding: Finding): number =>
    findingGroups.indexOf(finding.group) * severityOrder.length + severityOrder.indexOf(finding.severity);
  return checks.flatMap((check) => check(facts)).sort((a, b) => rank(a) - rank(b));
}
