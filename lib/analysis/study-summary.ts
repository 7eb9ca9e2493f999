/** Plan, environment and trials of a study -> its summary. Pure: the same records give the same summary. */

import { formatDuration } from '../core/units.ts';
import { type Cell, cellId } from '../records/arm.ts';
import type { Environment } from '../records/environment.ts';
import { defaultMeasurementNs, type StudyPlan } from '../records/plan.ts';
import type { Reason, TrialRecord } from '../records/trial.ts';
import { type AdaptiveCourse, adaptiveJudgement, adaptiveOf } from './adaptive.ts';
import { courseOf } from './adaptive-study.ts';
import { answerOf } from './answer.ts';
import { compareCells, summarizeCell } from './cell-summary.ts';
import { confirmationOf } from './confirmation.ts';
import { correlationAcrossCells } from './correlation.ts';
import { deploySnippets } from './deploy-snippet.ts';
import { selectDevice } from './gpu-attribution.ts';
import { judgeTrials } from './judged-trials.ts';
import { bareContext } from './memory-ledger.ts';
import { noiseFloor } from './noise-floor.ts';
import { paretoFrontier } from './pareto.ts';
import { decisionOf, eligibleCells, rankedBy, recommend } from './recommend.ts';
import { remoteFacts } from './remote-facts.ts';
import type { SeriesFiguresOf } from './series-figures.ts';
import { type Compared, judgedTogether } from './study-verdicts.ts';
import {
  type ArmBest,
  type ArmVoids,
  type CellSummary,
  type Comparison,
  type Conditions,
  type StudySummary,
  studySummarySchemaVersion,
  type TrialEntry,
} from './summary-model.ts';
import { ungatedComparisons } from './ungated.ts';
import { roomOf, workerCosts } from './worker-cost.ts';

/** `trials` in the order in which they were appended, all attempts. `fromSeries` is what their series files say. */
export function summarizeStudy(
  plan: StudyPlan,
  environment: Environment,
  trials: readonly TrialRecord[],
  fromSeries: SeriesFiguresOf = () => null,
): StudySummary {
  const every = trialEntries(trials, plan, fromSeries);
  const entries = every.filter(({ phase }) => phase === undefined);
  const armsLeftOut = leftOut(environment, entries);
  const arms = plan.arms.filter((arm) => !armsLeftOut.some((left) => left.arm === arm));
  const device = environment.gpu ? selectDevice(environment.gpu, plan.gpu.device) : undefined;
  const bareContextOf = (arm: string): number | null => bareContext(environment, arm, device?.uuid ?? null);
  const measured = compared(plannedCells(plan, arms), entries, plan, bareContextOf);
  const eligible = eligibleCells(measured, entries, plan.constraints);
  const together = judgedTogether(
    {
      cells: measured,
      bestByArm: bestByArm(arms, eligible, entries, plan),
      recommendation: recommend(eligible, entries, plan),
    },
    eligible,
    entries,
    plan.thresholdRatio,
  );
  const course = plan.adaptive ? courseOf(plan, environment, judgeTrials(trials, plan, fromSeries)) : null;
  const { cells, ...judged } = byCourse(together, course, plan.blocks);
  const { recommendation } = judged;
  const confirmation = confirmationOf(every, recommendation, plan);
  const floor = noiseFloor(every, plannedCells(plan, arms), plan);
  const remote = remoteFacts(trials);
  const ungated = ungatedComparisons(entries, plannedCells(plan, arms), plan);
  const counted = entries.filter((trial) => trial.counts);
  const valid = counted.filter((trial) => trial.validity.state === 'VALID');
  const room = roomOf(device, environment.gpu?.driverVersion ?? null, plan.memoryHeadroomRatio);
  const body = {
    schemaVersion: studySummarySchemaVersion,
    name: plan.name,
    question: question(plan),
    valid: cells.length > 0 && cells.every((cell) => cell.state === 'valid'),
    complete: cells.every((cell) => cell.trialsRun >= cell.trialsPlanned),
    trialsPlanned: cells.reduce((sum, cell) => sum + cell.trialsPlanned, 0),
    trialsRun: counted.length,
    trialsValid: valid.length,
    blocks: plan.blocks,
    seed: plan.seed,
    thresholdRatio: plan.thresholdRatio,
    arms,
    workers: ascendingNumbers(plan.workers),
    batchSizes: ascendingNumbers(plan.batchSizes),
    armsLeftOut,
    conditions: conditionsOf(plan, environment, trials),
    cells,
    ...judged,
    decision: decisionOf(cells, entries, plan, recommendation),
    deploy: recommendation ? deploySnippets(recommendation.cell, plan.server, device?.uuid ?? null) : [],
    frontier: paretoFrontier(cells, plan.load.ratePerSecond === undefined ? 'closed-loop' : 'equal-rate'),
    correlation: correlationAcrossCells(valid, plan.seed),
    workerCosts: workerCosts(valid, arms, ascendingNumbers(plan.batchSizes), room),
    ...(course && { adaptive: adaptiveOf(course) }),
    ...(confirmation && { confirmation }),
    ...(floor && { noiseFloor: floor }),
    ...(remote && { remote }),
    voids: voidsByArm(arms, every),
    ...(ungated.length > 0 && { ungated }),
    findings: findingsOf(every),
    trials: every,
  } as const;
  return { ...body, answer: answerOf(body) };
}

/** A cell that was decided early was to be run in fewer blocks, and its verdict is that of the look which decided. */
function withCourse(cell: CellSummary, course: AdaptiveCourse | null, blocks: number): CellSummary {
  if (course === null) return cell;
  const trialsPlanned = course.activeByBlock.filter((active) => active.has(cell.cellId)).length;
  const decision = course.decisions.find((candidate) => candidate.cellId === cell.cellId);
  const { comparison } = cell;
  if (!comparison || !decision || comparison.verdict === 'INVALID') return { ...cell, trialsPlanned };
  return { ...cell, trialsPlanned, comparison: { ...comparison, ...adaptiveJudgement(decision, blocks) } };
}

/** What was compared, with the verdicts of the looks where the study is adaptive. */
function byCourse(compared: Compared, course: AdaptiveCourse | null, blocks: number): Compared {
  const judged = (comparison: Comparison | null, id: string) => judgedByCourse(comparison, id, course, blocks);
  const { cells, bestByArm: best, recommendation } = compared;
  return {
    cells: cells.map((cell) => withCourse(cell, course, blocks)),
    bestByArm: best.map((each) => ({ ...each, comparison: judged(each.comparison, each.cellId) })),
    recommendation: recommendation && {
      ...recommendation,
      overRunnerUp: judged(recommendation.overRunnerUp, recommendation.cellId),
    },
  };
}

/** Best cells against each other: those that were decided early share few blocks. */
function judgedByCourse(
  comparison: Comparison | null,
  id: string,
  course: AdaptiveCourse | null,
  blocks: number,
): Comparison | null {
  if (comparison === null || course === null || comparison.verdict === 'INVALID') return comparison;
  return { ...comparison, ...adaptiveJudgement(course.between(id, cellId(comparison.withCell)), blocks) };
}

function question(plan: StudyPlan): string {
  const list = (values: readonly number[]): string => ascendingNumbers(values).join(', ');
  return (
    `Is NVIDIA MPS worth enabling for this server with ${list(plan.workers)} workers at batch size ` +
    `${list(plan.batchSizes)}, and what does it cost or save in GPU memory?`
  );
}

function trialEntries(trials: readonly TrialRecord[], plan: StudyPlan, fromSeries: SeriesFiguresOf): TrialEntry[] {
  const lastAttempt = new Map<string, number>();
  for (const trial of trials) {
    lastAttempt.set(trial.trialId, Math.max(trial.attempt, lastAttempt.get(trial.trialId) ?? 0));
  }
  return judgeTrials(trials, plan, fromSeries).map(({ record, figures, validity }) => {
    return {
      trialId: record.trialId,
      attempt: record.attempt,
      block: record.block,
      position: record.position,
      cell: record.cell,
      ...(record.phase && { phase: record.phase }),
      cellId: cellId(record.cell),
      startedAt: record.startedAt,
      status: record.status,
      counts: record.attempt === lastAttempt.get(record.trialId),
      validity,
      figures,
    };
  });
}

/** As the host's checks had it at the start. An arm that was run all the same (resumed on a mended host) is not one. */
function leftOut(environment: Environment, trials: readonly TrialEntry[]): StudySummary['armsLeftOut'] {
  return environment.armsLeftOut.filter(({ arm }) => !trials.some((trial) => trial.cell.arm === arm));
}

function plannedCells(plan: StudyPlan, arms: readonly string[]): Cell[] {
  return ascendingNumbers(plan.workers).flatMap((workers) =>
    ascendingNumbers(plan.batchSizes).flatMap((batchSize) => arms.map((arm) => ({ workers, batchSize, arm }))),
  );
}

function compared(
  cells: readonly Cell[],
  trials: readonly TrialEntry[],
  plan: StudyPlan,
  bareContextOf: (arm: string) => number | null,
): CellSummary[] {
  return cells.map((cell) => {
    const summary = summarizeCell(trials, cell, plan.blocks, bareContextOf(cell.arm));
    const off = { ...cell, arm: 'off' };
    if (cell.arm === 'off' || !cells.some((other) => cellId(other) === cellId(off))) return summary;
    return { ...summary, comparison: compareCells(trials, cell, off, plan.thresholdRatio, plan.seed) };
  });
}

/** By throughput, of the cells that may be recommended. */
function bestByArm(
  arms: readonly string[],
  cells: readonly CellSummary[],
  trials: readonly TrialEntry[],
  plan: StudyPlan,
): ArmBest[] {
  const bestOf = (arm: string): CellSummary | undefined =>
    rankedBy(
      cells.filter((cell) => cell.cell.arm === arm),
      'throughput',
    )[0];
  const off = bestOf('off');
  return arms.flatMap((arm) => {
    const best = bestOf(arm);
    if (!best) return [];
    const comparison =
      off && arm !== 'off' ? compareCells(trials, best.cell, off.cell, plan.thresholdRatio, plan.seed) : null;
    return [{ arm, cellId: best.cellId, cell: best.cell, comparison }];
  });
}

function voidsByArm(arms: readonly string[], trials: readonly TrialEntry[]): ArmVoids[] {
  return arms.map((arm) => {
    const attempts = trials.filter((trial) => trial.cell.arm === arm);
    const invalid = attempts.filter((trial) => trial.validity.state === 'INVALID');
    const byCode: Record<string, number> = {};
    for (const { code } of invalid.flatMap((trial) => trial.validity.reasons)) byCode[code] = (byCode[code] ?? 0) + 1;
    return { arm, attempts: attempts.length, invalidAttempts: invalid.length, byCode };
  });
}

function findingsOf(trials: readonly TrialEntry[]): StudySummary['findings'] {
  const found = new Map<string, { reason: Reason; attempts: number; voids: boolean }>();
  const add = (reason: Reason, voids: boolean): void => {
    const known = found.get(reason.code);
    if (known) known.attempts++;
    else found.set(reason.code, { reason, attempts: 1, voids });
  };
  for (const { validity } of trials) {
    for (const reason of validity.reasons) add(reason, true);
    for (const warning of validity.warnings) add(warning, false);
  }
  return [...found.values()].sort((a, b) => b.attempts - a.attempts);
}

function conditionsOf(plan: StudyPlan, environment: Environment, trials: readonly TrialRecord[]): Conditions {
  const device = environment.gpu ? selectDevice(environment.gpu, plan.gpu.device) : undefined;
  const { host, tool } = environment;
  return {
    server: trials.find((trial) => trial.server !== null)?.server?.description ?? null,
    load: loadText(plan, trials),
    deviceName: device?.name ?? null,
    deviceUuid: device?.uuid ?? null,
    driverVersion: environment.gpu?.driverVersion ?? null,
    cudaDriverVersion: environment.gpu?.cudaDriverVersion ?? null,
    computeMode: device?.computeMode ?? null,
    deviceMemoryBytes: device?.memory.totalBytes ?? null,
    cpu: `${host.cpuModel}, ${host.cpuCount} CPUs`,
    kernel: `${host.kernel} ${host.architecture}`,
    toolVersion: tool.version,
    nodeVersion: tool.nodeVersion,
    commandLine: tool.commandLine,
    recordedAt: environment.recordedAt,
  };
}

/** Concurrency and engine as they were, not as the plan's "auto" has them. */
function loadText(plan: StudyPlan, trials: readonly TrialRecord[]): string {
  const loops = trials.flatMap((trial) => (trial.load ? [trial.load.loop] : []));
  const open = loops.find((loop) => loop.kind === 'open');
  const concurrencies = ascendingNumbers(loops.flatMap((loop) => (loop.kind === 'closed' ? [loop.concurrency] : [])));
  const [least, most] = [concurrencies[0], concurrencies.at(-1)];
  const range = least === most ? `${least ?? plan.load.concurrency}` : `${least} to ${most}`;
  const shape = open ? `open loop, ${open.ratePerSecond} requests/s` : `closed loop, ${range} requests in flight`;
  const window = plan.load.requests
    ? `${plan.load.requests} requests a trial`
    : `${formatDuration(plan.load.duration ?? defaultMeasurementNs)} a trial`;
  const engines = [...new Set(trials.flatMap((trial) => (trial.load ? [trial.load.generator.engine] : [])))];
  return `${shape}, ${window}, ${engines.join(' and ') || plan.load.engine} engine`;
}

function ascendingNumbers(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
