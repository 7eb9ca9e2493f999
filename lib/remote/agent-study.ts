/** One study on the agent: host, directory and trials as of any study, with its load sent by the driver. */
import { join } from 'node:path';
import type { EmergencyStops } from '../core/emergency.ts';
import { isInterrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { recoverJournal } from '../core/journal-recovery.ts';
import type { StudyPlan } from '../records/plan.ts';
import { requestedForm, validatePlan } from '../records/plan-text.ts';
import { createStudyDirectory, openStudyDirectory, type StudyDirectory } from '../records/study-directory.ts';
import { steeringOf } from '../steering/steering.ts';
import { estimateStudy } from '../study/estimate.ts';
import type { StudyProgress } from '../study/progress.ts';
import { pendingOf, runStudy, trialsOf } from '../study/run-study.ts';
import type { StudyHost } from '../study/study-host.ts';
import { lockStudy } from '../study/study-lock.ts';
import type { EventLog } from './event-log.ts';
import type { OrderDesk } from './order-desk.ts';
import type { WireProgress } from './protocol.ts';

export interface AgentStudyParts {
  /** Checks this host and sets up what the plan needs. */
  readonly prepareHost: (plan: StudyPlan, signal: AbortSignal) => Promise<StudyHost>;
  readonly emergency: EmergencyStops;
}

export interface AgentStudy {
  readonly path: string;
  readonly plan: StudyPlan;
  readonly resumes: boolean;
  readonly events: EventLog;
  readonly desk: OrderDesk;
  readonly signal: AbortSignal;
}

/** The plan that a study of this agent was begun with. Throws STUDY_UNREADABLE or PLAN_INVALID. */
export async function planOfStudy(path: string): Promise<StudyPlan> {
  const directory = await openStudyDirectory(path);
  return validatePlan(await directory.readPlan(), () => join(path, 'plan.yaml'));
}

/** Runs it to its end and says so to the driver, whatever the end was; the host is then as it was. */
export async function runAgentStudy(study: AgentStudy, parts: AgentStudyParts): Promise<void> {
  try {
    await run(study, parts);
    study.events.push({ kind: 'ended', code: null, message: null });
  } catch (thrown) {
    const first = thrown instanceof Error && 'suppressed' in thrown ? thrown.suppressed : thrown;
    const code = isInterrupted(first) ? 'INTERRUPTED' : first instanceof MpsbenchError ? first.code : 'A_BUG';
    study.events.push({ kind: 'ended', code, message: messageOf(first) });
  }
}

async function run(study: AgentStudy, { prepareHost, emergency }: AgentStudyParts): Promise<void> {
  const { plan, signal, events, desk } = study;
  using _resumedLock = study.resumes ? await lockStudy(study.path, emergency) : null;
  await recoverJournal();
  using host = await prepareHost(plan, signal);
  for (const text of notesOf(host)) events.push({ kind: 'note', text });
  const directory = study.resumes
    ? await openStudyDirectory(study.path)
    : await createStudyDirectory(study.path, requestedForm(plan));
  using _lock = study.resumes ? null : await lockStudy(study.path, emergency);
  if (!study.resumes) await directory.writeEnvironment(host.environment);
  const steering = steeringOf(plan, host.environment);
  await tellStart(study, host, directory);
  const { arms } = host.arms;
  const shown = new ShownProgress(events);
  await runStudy(
    {
      plan,
      arms,
      parts: {
        ...host.parts,
        engine: desk.engine,
        calibrate: (aborts) => desk.calibrate(aborts),
        cpuTimes: desk.cpuTimes(host.parts.cpuTimes),
      },
      directory,
      // The driver has those of its own; none of them comes here.
      bodies: [],
      steering,
    },
    {
      signal,
      onProgress: (progress) => shown.show(progress),
      onTrial: (record) => events.push({ kind: 'trial', record }),
    },
  );
}

async function tellStart({ plan, events }: AgentStudy, host: StudyHost, directory: StudyDirectory): Promise<void> {
  const records = await directory.readTrials();
  const { arms } = host.arms;
  const pending = pendingOf(plan, arms, records, steeringOf(plan, host.environment));
  const expectedNs = estimateStudy(plan, pending, records).totalNs;
  events.push({ kind: 'started', trials: trialsOf(plan, arms), expectedNs });
}

/** What a driver is to know of this host before the first trial. */
function notesOf({ arms: { leftOut, arms }, findings }: StudyHost): string[] {
  const warnings = findings.filter(({ group, severity }) => group === 'server' && severity === 'warning');
  const withMps = arms.some((arm) => arm !== 'off');
  return [
    ...leftOut.map(({ arm, reason }) => `left out: ${arm}: ${reason}`),
    ...(withMps ? warnings.map(({ subject, message, mend }) => `warning: ${subject}: ${message}; ${mend}`) : []),
  ];
}

/** A step is told once: the driver knows of its own load's rate itself. */
class ShownProgress {
  readonly #events: EventLog;
  #last = '';

  constructor(events: EventLog) {
    this.#events = events;
  }

  show({ trial, trials, blocks, finished, step, remainingNs }: StudyProgress): void {
    const { trialId, block, position, cell, phase } = trial;
    const key = `${trialId} ${step} ${finished}`;
    if (key === this.#last) return;
    this.#last = key;
    const shown = { trialId, block, position, cell, ...(phase && { phase }) };
    const progress: WireProgress = { trial: shown, trials, blocks, finished, step, recentPerSecond: null, remainingNs };
    this.#events.push({ kind: 'progress', progress });
  }
}
