/** Whether a load from elsewhere can reach the servers of a plan at the address that the agent gives them. */
import { MpsbenchError } from '../core/errors.ts';
import type { StudyPlan } from '../records/plan.ts';
import { placeholdersIn } from '../records/server-plans/argument-text.ts';

/** Throws PLAN_INVALID for a command that listens on the loopback whatever it is told, and for what only the agent's own load could do. */
export function requireReachable(name: string, plan: StudyPlan, loadAddress: string): void {
  const problem = cpusProblem(plan) ?? launchProblem(plan, loadAddress);
  if (problem !== null) throw new MpsbenchError('PLAN_INVALID', `plan ${name} of the agent ${problem}`);
}

function cpusProblem({ load }: StudyPlan): string | null {
  if (load.cpus === null) return null;
  return 'keeps the generator to CPUs (load.cpus), and the generator is on another host; leave that out of it';
}

function launchProblem({ server }: StudyPlan, loadAddress: string): string | null {
  if (!('launch' in server) || server.launch === null || isLoopback(loadAddress)) return null;
  const launch = typeof server.launch === 'string' ? [server.launch] : server.launch;
  const texts = [...launch, ...Object.values(server.environment)];
  const told = texts.some((text) => placeholdersIn(text).includes('host') || text.includes('MPSBENCH_HOST'));
  if (told) return null;
  return `starts a command that is not told to listen on ${loadAddress}; write {host} where it takes its address`;
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}
