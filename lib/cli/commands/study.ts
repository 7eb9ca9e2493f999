/** `mpsbench study`: plan, host, trials, report; and what --dry-run says of them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { trialFigures } from '../../analysis/trial-summary.ts';
import { judgeTrial, type Validity } from '../../analysis/validity.ts';
import { MpsbenchError } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-version.ts';
import { counted, formatSpan, type Nanoseconds } from '../../core/units.ts';
import { readBodies } from '../../load/body-pool.ts';
import { cellText } from '../../records/arm.ts';
import type { StudyPlan } from '../../records/plan.ts';
import { requestedForm, validatePlan } from '../../records/plan-text.ts';
import {
  createStudyDirectory,
  openStudyDirectory,
  type StudyDirectory,
  studyFiles,
} from '../../records/study-directory.ts';
import type { TrialRecord } from '../../records/trial.ts';
import { rebuildReport } from '../../report/write-report.ts';
import { steeringOf } from '../../steering/steering.ts';
import { estimateStudy, type StudyEstimate } from '../../study/estimate.ts';
import type { ScheduledTrial } from '../../study/order.ts';
import { pendingOf, runStudy, trialsOf } from '../../study/run-study.ts';
import { prepareStudyHost, type StudyHost } from '../../study/study-host.ts';
import { lockStudy } from '../../study/study-lock.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { addLoadHostsOptions, type LoadHostsOptions, loadHostsOf, withoutPassword } from '../load-hosts-options.ts';
import { addPlanOptions, givenPlanOptions, planFrom } from '../plan-options.ts';
import { checkPlanOverHosts } from '../plan-over-hosts.ts';
import { printSummary } from '../print-summary.ts';
import { liveStatus } from '../progress-line.ts';
import { recoverLeftovers } from '../recover-leftovers.ts';
import { planWithin } from '../study-budget.ts';
import { progressText, trialText } from '../study-progress.ts';

interface StudyOptions extends LoadHostsOptions {
  readonly out?: string;
  readonly resume?: string;
  readonly dryRun?: true;
  readonly json?: true;
  readonly abConfig?: string;
  readonly budget?: string;
  readonly agent?: string;
  readonly agentTokenFile?: string;
  readonly agentCa?: string;
}

const example = `
Examples:
  mpsbench study --quick
  mpsbench study --workers 1,2,4 --batch-size 1,4,16 --sharing off,mps,mps:50 --blocks 5 --duration 30s
  mpsbench study plan.yaml --out bert-study
  mpsbench study --resume bert-study
  mpsbench study --budget 2h --aa --warmup auto
  mpsbench study bert --agent https://gpu-host:9477 --agent-token-file token --out bert-study
  mpsbench study --ab-config config.json --workers 1,2 --batch-size 1,2,4,8 --dry-run

Exit status: 0 done and valid · 1 failed · 2 usage or plan · 3 done but INVALID · 130 interrupted (resume continues)`;

export function studyCommand(context: CliContext): Command {
  const command = new Command('study')
    .description('run the plan over workers × batch size × arm and say whether MPS is worth it here')
    .argument('[plan.yaml]', 'plan; left out = the default plan for the embedded server');
  addPlanOptions(command)
    .option('--out <dir>', 'study directory to write (default: mpsbench-studies/<time>)')
    .option('--resume <dir>', 'continue a study that was stopped; finished trials are kept')
    .option('--budget <time>', 'time that the study may take, such as 2h: chooses blocks and length of measurements')
    .option(
      '--agent <url>',
      'run it on the host of that mpsbench agent, by its plan of that name; the load is sent from here',
    )
    .option('--agent-token-file <file>', "file with the agent's token")
    .option('--agent-ca <file>', "PEM file with the authority of the agent's certificate")
    .option('--dry-run', 'print the schedule and the time it takes, and run nothing')
    .option('--json', 'print the summary as JSON');
  return addLoadHostsOptions(command)
    .addHelpText('after', example)
    .action((file: string | undefined, options: StudyOptions) => study(context, command, file, options));
}

async function study(
  context: CliContext,
  command: Command,
  file: string | undefined,
  options: StudyOptions,
): Promise<void> {
  if (options.agent !== undefined || isMirror(options.resume)) {
    const { remoteStudy } = await import('../remote-study.ts');
    return await remoteStudy(context, command, file, options, defaultDirectory);
  }
  const resumed = options.resume === undefined ? null : await openForResume(options.resume, command, file, options);
  // Before the checks: they make a CUDA context, which the run that is at it would measure.
  using _resumedLock = resumed && !options.dryRun ? await lockStudy(resumed.directory.path, context.emergency) : null;
  const asked = resumed?.plan ?? (await planFrom(command, file, (line) => context.err(`${line}\n`)));
  if (options.dryRun && options.abConfig !== undefined && !options.json) context.out(stringify(requestedForm(asked)));
  const bodies = readBodies(asked.load.bodies).map((body) => body.bytes);
  if (!options.dryRun) await recoverLeftovers(context);
  const loadHosts = await loadHostsOf(context, options, { engine: asked.load.engine, threads: 1 });
  if (loadHosts !== null) checkPlanOverHosts(asked);
  if (!options.dryRun) await loadHosts?.rollCall(context.signal);
  using host = await prepareStudyHost(asked, {
    paths: context.paths,
    signal: context.signal,
    emergency: context.emergency,
    tool: { version: packageVersion(), commandLine: ['mpsbench', ...withoutPassword(process.argv.slice(2))] },
    ...(loadHosts && { engine: loadHosts }),
  });
  const plan = options.budget === undefined ? asked : planWithin(context, command, asked, options.budget, host);
  for (const line of [...leftOutLines(host), ...serverWarnings(host)]) context.err(`${line}\n`);
  if (options.dryRun)
    return dryRun(context, plan, await stateOf(plan, host, resumed?.directory ?? null), host, options);

  const directory =
    resumed?.directory ?? (await createStudyDirectory(options.out ?? defaultDirectory(), requestedForm(plan)));
  using _lock = resumed ? null : await lockStudy(directory.path, context.emergency);
  if (!resumed) await directory.writeEnvironment(host.environment);
  await runTrials(context, plan, host, directory, bodies);
  const summary = await rebuildReport(directory);
  context.exit(printSummary(context, summary, options.json === true));
  context.err(`report: ${join(directory.path, studyFiles.html)}\n`);
}

async function runTrials(
  context: CliContext,
  plan: StudyPlan,
  host: StudyHost,
  directory: StudyDirectory,
  bodies: readonly Uint8Array[],
): Promise<void> {
  const live = liveStatus(context);
  const { pending, records } = await stateOf(plan, host, directory);
  const trials = trialsOf(plan, host.arms.arms);
  const total = formatSpan(estimateStudy(plan, pending, records).totalNs);
  context.err(
    `${plan.name}: ${counted(trials, 'trial')} in ${counted(plan.blocks, 'block')}, about ${total}, seed ${plan.seed}, into ${directory.path}\n`,
  );
  try {
    await runStudy(
      {
        plan,
        arms: host.arms.arms,
        parts: host.parts,
        directory,
        bodies,
        steering: steeringOf(plan, host.environment),
      },
      {
        signal: context.signal,
        onProgress: (progress) => live.update(progressText(progress)),
        onTrial: (record) => live.note(trialText(record, trials, validityOf(record, plan))),
      },
    );
  } catch (thrown) {
    live.done();
    if (context.signal.aborted)
      context.err(`stopped; finished trials are kept: mpsbench study --resume ${directory.path}\n`);
    throw thrown;
  }
  live.done();
}

function validityOf(record: TrialRecord, plan: StudyPlan): Validity {
  return judgeTrial(record, trialFigures(record, plan.gpu.device), plan);
}

async function openForResume(path: string, command: Command, file: string | undefined, options: StudyOptions) {
  const given = [
    ...givenPlanOptions(command),
    ...(file === undefined ? [] : [file]),
    ...(options.out === undefined ? [] : ['--out']),
    ...(options.budget === undefined ? [] : ['--budget']),
  ];
  if (given.length > 0) {
    throw new MpsbenchError('USAGE', `--resume continues the plan that is in ${path}; leave out ${given.join(', ')}`);
  }
  const directory = await openStudyDirectory(path);
  const plan = validatePlan(await directory.readPlan(), () => `${path}/plan.yaml`);
  return { directory, plan };
}

/** One line a reason; arms nearly always share it. */
function leftOutLines({ arms: { leftOut } }: StudyHost): string[] {
  const reasons = [...new Set(leftOut.map((entry) => entry.reason))];
  return reasons.map((reason) => {
    const arms = leftOut.filter((entry) => entry.reason === reason).map((entry) => entry.arm);
    return `left out: ${arms.join(', ')}: ${reason}`;
  });
}

/** What the plan's server means for arms with MPS, where some will run. */
function serverWarnings({ findings, arms }: StudyHost): string[] {
  if (arms.arms.every((arm) => arm === 'off')) return [];
  const warnings = findings.filter(({ group, severity }) => group === 'server' && severity === 'warning');
  return warnings.map(({ subject, message, mend }) => `warning: ${subject}: ${message}; ${mend}`);
}

interface StudyState {
  readonly pending: readonly ScheduledTrial[];
  readonly records: readonly TrialRecord[];
}

async function stateOf(plan: StudyPlan, host: StudyHost, directory: StudyDirectory | null): Promise<StudyState> {
  const { arms } = host.arms;
  const records = directory ? await directory.readTrials() : [];
  return { pending: pendingOf(plan, arms, records, steeringOf(plan, host.environment)), records };
}

function dryRun(context: CliContext, plan: StudyPlan, state: StudyState, host: StudyHost, options: StudyOptions): void {
  const estimate = estimateStudy(plan, state.pending, state.records);
  if (options.json) {
    context.out(
      jsonDocument('study-schedule', {
        plan: requestedForm(plan),
        expectedNs: estimate.totalNs,
        restarts: estimate.restarts,
        switches: estimate.switches,
        measuredRestartNs: estimate.measured.restartNs,
        measuredSwitchNs: estimate.measured.switchNs,
        armsLeftOut: host.arms.leftOut,
        trials: state.pending,
      }),
    );
    return;
  }
  const lines = state.pending.map(
    (trial) =>
      `${String(trial.position).padStart(5)}  block ${trial.block}  ${cellText(trial.cell)}${trial.phase === 'aa' ? ', again' : ''}`,
  );
  const total = `${counted(state.pending.length, 'trial')}, about ${formatSpan(estimate.totalNs)}, seed ${plan.seed}`;
  const confirmed =
    plan.confirm === 0 ? [] : [`then ${counted(plan.confirm, 'block')} of the best cell and its runner-up`];
  context.out(`${[...lines, total, ...confirmed, ...restartLines(estimate)].join('\n')}\n`);
}

/** Told where restarts were measured, or where some are spared. */
function restartLines({ restarts, switches, measured }: StudyEstimate): string[] {
  if (switches === 0 && measured.restartNs === null) return [];
  const each = (spanNs: Nanoseconds | null): string =>
    spanNs === null ? 'not measured yet' : `${formatSpan(spanNs)} each in this study so far`;
  const restartText = `${counted(restarts, 'restart')} of the server (${each(measured.restartNs)})`;
  return [`${restartText}, ${counted(switches, 'change')} of cell without one (${each(measured.switchNs)})`];
}

/** The copy of a study that an agent runs: continued here it would be another one. */
function isMirror(path: string | undefined): boolean {
  return path !== undefined && existsSync(join(path, studyFiles.agent));
}

function defaultDirectory(): string {
  return `mpsbench-studies/${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`;
}
