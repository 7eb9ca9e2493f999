/** `mpsbench study PLAN --agent URL`: the agent runs the study, the load is sent from here, the report is made here. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { z } from 'zod';
import { trialFigures } from '../analysis/trial-summary.ts';
import { judgeTrial } from '../analysis/validity.ts';
import { systemCpuTimes } from '../core/cpu-time.ts';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import { counted, formatSpan, ns } from '../core/units.ts';
import { readBodies } from '../load/body-pool.ts';
import { calibrate } from '../load/calibration.ts';
import { anyEngine, type EngineChoice, wishedEngine } from '../load/choose-engine.ts';
import type { StudyPlan } from '../records/plan.ts';
import { validatePlan } from '../records/plan-text.ts';
import {
  createStudyDirectory,
  openStudyDirectory,
  type StudyDirectory,
  studyFiles,
} from '../records/study-directory.ts';
import { AgentLink } from '../remote/agent-link.ts';
import { type DriveDisplay, driveStudy } from '../remote/drive-study.ts';
import { isChoice, type PlanChoices, planChoicesSchema } from '../remote/plan-choices.ts';
import { type Begun, studyIdSchema } from '../remote/protocol.ts';
import { rebuildReport } from '../report/write-report.ts';
import { lockStudy } from '../study/study-lock.ts';
import type { CliContext } from './context.ts';
import { choicesFrom, givenPlanOptions } from './plan-options.ts';
import { printSummary } from './print-summary.ts';
import { type LiveStatus, liveStatus } from './progress-line.ts';
import { progressText, trialText } from './study-progress.ts';

export interface RemoteOptions {
  readonly agent?: string;
  readonly agentTokenFile?: string;
  readonly agentCa?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly budget?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const linkSchema = z.object({ agent: z.string(), plan: z.string(), study: studyIdSchema });

/** As `study` does, with the arms, the servers and the sampling elsewhere. `defaultOut` names a new directory. */
export async function remoteStudy(
  context: CliContext,
  command: Command,
  planName: string | undefined,
  options: RemoteOptions,
  defaultOut: () => string,
): Promise<void> {
  const asked = await askedStudy(command, planName, options);
  const bodies = readBodies(bodyPaths(asked.choices)).map(({ bytes }) => bytes);
  await using link = new AgentLink({
    url: asked.agent,
    token: tokenOf(options.agentTokenFile),
    authorities: textOf('--agent-ca', options.agentCa),
    signal: context.signal,
  });
  const live = liveStatus(context);
  const mirror = new OpenedMirror(context, { out: options.resume ?? options.out ?? defaultOut(), ...asked });
  try {
    const directory = await driveStudy({
      link,
      ...engineOf(context, () => mirror.plan),
      bodies,
      usedNs: systemCpuTimes.ofSelf,
      signal: context.signal,
      driver: { host: hostname(), pid: process.pid, user: userName(), toolVersion: packageVersion() },
      plan: asked.plan,
      choices: asked.choices,
      resume: asked.study,
      openMirror: (begun) => mirror.open(begun),
      show: displayOf(context, live, mirror),
    });
    live.done();
    const summary = await rebuildReport(directory);
    context.exit(printSummary(context, summary, options.json === true));
    context.err(`report: ${join(directory.path, studyFiles.html)}\n`);
  } catch (thrown) {
    live.done();
    if (mirror.path !== null)
      context.err(`finished trials are kept: mpsbench study --resume ${mirror.path} --agent ${asked.agent}\n`);
    throw thrown;
  } finally {
    mirror[Symbol.dispose]();
  }
}

interface AskedStudy {
  readonly agent: string;
  readonly plan: string;
  readonly choices: PlanChoices;
  /** Of the agent, to be continued; null = a new one. */
  readonly study: string | null;
}

async function askedStudy(
  command: Command,
  planName: string | undefined,
  { agent, resume, budget, dryRun, out }: RemoteOptions,
): Promise<AskedStudy> {
  const foreign = [...(budget === undefined ? [] : ['--budget']), ...(dryRun ? ['--dry-run'] : [])];
  if (foreign.length > 0) {
    throw new MpsbenchError('USAGE', `${foreign.join(', ')} needs the host of the GPU; leave it out, or run it there`);
  }
  if (resume === undefined) {
    if (agent === undefined || planName === undefined) {
      throw new MpsbenchError('USAGE', 'name a plan of the agent: mpsbench study PLAN --agent URL');
    }
    return { agent, plan: planName, choices: planChoicesSchema.parse(choicesFrom(command, isChoice)), study: null };
  }
  const given = [
    ...givenPlanOptions(command),
    ...(planName ? [planName] : []),
    ...(out === undefined ? [] : ['--out']),
  ];
  if (given.length > 0) {
    throw new MpsbenchError('USAGE', `--resume continues the plan that is in ${resume}; leave out ${given.join(', ')}`);
  }
  const link = await readLink(resume);
  if (link === null) {
    throw new MpsbenchError('USAGE', `${resume} is no study of an agent; leave out --agent to continue it here`);
  }
  const bodies = validatePlan(await (await openStudyDirectory(resume)).readPlan(), () => resume).load.bodies;
  return { agent: agent ?? link.agent, plan: link.plan, choices: { load: { bodies } }, study: link.study };
}

/** The mirror of the study, once the agent has begun it; locked until it is disposed of. */
class OpenedMirror implements Disposable {
  path: string | null = null;
  plan: StudyPlan | null = null;
  readonly #context: CliContext;
  readonly #asked: AskedStudy & { readonly out: string };
  #lock: Disposable | null = null;

  constructor(context: CliContext, asked: AskedStudy & { readonly out: string }) {
    this.#context = context;
    this.#asked = asked;
  }

  async open({ study, plan }: Begun): Promise<StudyDirectory> {
    const { out, agent, plan: name, study: resumed } = this.#asked;
    this.plan = validatePlan(plan, () => `plan ${name} of the agent`);
    const directory = await (resumed === null ? createStudyDirectory(out, plan) : openStudyDirectory(out));
    this.#lock = await lockStudy(directory.path, this.#context.emergency);
    this.path = directory.path;
    await directory.writeFile(studyFiles.agent, `${JSON.stringify({ agent, plan: name, study }, null, 2)}\n`);
    return directory;
  }

  [Symbol.dispose](): void {
    this.#lock?.[Symbol.dispose]();
  }
}

/** Chosen for each run by the plan, which is known once the agent has begun. */
function engineOf({ emergency }: CliContext, planOf: () => StudyPlan | null) {
  const wish = () => ({ ...anyEngine, engine: planOf()?.load.engine ?? ('auto' satisfies EngineChoice) });
  const engine: ReturnType<typeof wishedEngine> = { run: (spec, hooks) => wishedEngine(wish()).run(spec, hooks) };
  return {
    engine,
    calibrate:
      (signal: AbortSignal) =>
      (...[spec, subject, measuredNs]: CalibrationQuestion) =>
        calibrate(spec, subject, measuredNs, { signal, emergency, wish: wish() }),
  };
}

type CalibrationQuestion = [...Parameters<typeof calibrate>] extends [infer A, infer B, infer C, unknown]
  ? [A, B, C]
  : never;

function displayOf(context: CliContext, live: LiveStatus, mirror: OpenedMirror): DriveDisplay {
  let trials = 0;
  return {
    onStarted: (count, expectedNs) => {
      trials = count;
      const { plan, path } = mirror;
      const what = `${plan?.name}: ${counted(count, 'trial')} in ${counted(plan?.blocks ?? 0, 'block')}`;
      context.err(`${what}, about ${formatSpan(expectedNs)}, seed ${plan?.seed}, into ${path}\n`);
    },
    onProgress: (progress) => live.update(progressText({ ...progress, remainingNs: ns(progress.remainingNs) })),
    onTrial: (record) => {
      if (mirror.plan === null) return;
      const validity = judgeTrial(record, trialFigures(record, mirror.plan.gpu.device), mirror.plan);
      live.note(trialText(record, trials, validity));
    },
    onNote: (text) => live.note(text),
  };
}

function bodyPaths({ load }: PlanChoices): string[] {
  return (load?.bodies ?? []).map(String);
}

async function readLink(path: string): Promise<z.infer<typeof linkSchema> | null> {
  try {
    return linkSchema.parse(JSON.parse(await readFile(join(path, studyFiles.agent), 'utf8')));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    const what = `${join(path, studyFiles.agent)} does not say whose study it is: ${messageOf(cause)}`;
    throw new MpsbenchError('STUDY_UNREADABLE', `${what}; name another directory`, { cause });
  }
}

function tokenOf(file: string | undefined): string | null {
  return textOf('--agent-token-file', file)?.trim() ?? null;
}

function textOf(option: string, file: string | undefined): string | null {
  if (file === undefined) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MpsbenchError('USAGE', `${option}: ${messageOf(cause)}; name a file that you may read`, { cause });
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may know no name for its user.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
