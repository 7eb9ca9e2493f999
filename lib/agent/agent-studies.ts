/** The studies that this agent's configuration lets a driver run. */
import { readFile } from 'node:fs/promises';
import type { EmergencyStops } from '../core/emergency.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import type { StudyPlan } from '../records/plan.ts';
import { parsePlanText, validatePlan } from '../records/plan-text.ts';
import { RemoteStudies } from '../remote/remote-studies.ts';
import { prepareStudyHost, type VendorPaths } from '../study/study-host.ts';
import type { AgentConfiguration } from './configuration.ts';

export interface AgentStudiesOptions {
  readonly paths: VendorPaths;
  readonly emergency: EmergencyStops;
}

/** Null where the configuration has no `studies`. */
export function agentStudies(configuration: AgentConfiguration, options: AgentStudiesOptions): RemoteStudies | null {
  const { plans, studies } = configuration;
  if (studies === undefined) return null;
  const tool = { version: packageVersion(), commandLine: ['mpsbench', 'agent'] };
  return new RemoteStudies({
    planNames: Object.keys(plans),
    readPlan: (name) => readPlan(plans[name] ?? name),
    directory: studies.directory,
    loadAddress: studies.loadAddress,
    leaseTimeoutNs: studies.leaseTimeout,
    emergency: options.emergency,
    prepareHost: (plan, signal) =>
      prepareStudyHost(plan, { ...options, signal, tool, serverHost: studies.loadAddress }),
  });
}

async function readPlan(file: string): Promise<StudyPlan> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const what = `the agent cannot read its plan ${file}: ${messageOf(cause)}`;
    throw new MpsbenchError('PLAN_UNREADABLE', `${what}; mend 'plans' of its configuration`, { cause });
  }
  const { value, locate } = parsePlanText(text, file);
  return validatePlan(value, locate);
}
