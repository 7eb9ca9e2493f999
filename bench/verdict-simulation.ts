/** Studies drawn by chance with a known truth, and how often their verdicts are false. */

import { adjustTogether, type BlockValues, contest, contestKey, type Side } from '../lib/analysis/contest.ts';
import { type Verdict, verdictOf } from '../lib/analysis/verdict.ts';
import { type RandomStream, randomStream, shuffled } from '../lib/core/random.ts';
import { median } from '../lib/stats/quantile.ts';

/** How trials of a study differ by chance. All on the log scale: 0.01 is 1 %. */
export interface Noise {
  /** Of each trial by itself. */
  readonly trialSd: number;
  /** Of a process that lasts from trial to trial: its sd, and how much of it the next trial keeps. */
  readonly lastingSd: number;
  readonly kept: number;
  /** Shared by all trials of a block. */
  readonly blockSd: number;
  /** Linear, over the whole study. */
  readonly drift: number;
  /** Shared by all trials of one arm in one block: what one start of a server brings with it. */
  readonly startSd: number;
  /** Share of trials that are six trial sd too slow. */
  readonly outlierRatio: number;
}

export interface Scenario {
  readonly name: string;
  readonly blocks: number;
  readonly thresholdRatio: number;
  readonly noise: Noise;
  /** Arm -> true log throughput of each of its cells; the n-th cell of every arm has the same workers and batch size. */
  readonly truth: Readonly<Record<string, readonly number[]>>;
  /** true: an arm keeps its server, so that arms are drawn as wholes and cells within them. */
  readonly splitPlot: boolean;
}

/** One verdict and the true log-ratio of the two cells that it is about. */
export interface SimulatedVerdict {
  readonly verdict: Verdict;
  readonly truth: number;
  /** planned: a cell against 'off'; best: of an arm against the best of 'off'; lead: of the best over the next. */
  readonly kind: 'planned' | 'best' | 'lead';
  /** "mps/2": arm and index of each cell. */
  readonly mine: string;
  readonly theirs: string;
}

interface SimulatedCell {
  readonly arm: string;
  readonly index: number;
  readonly truth: number;
}

export type SimulatedTrial = SimulatedCell & { readonly block: number; readonly throughputPerSecond: number };

/** The trials of one study in the order in which they run. */
export function drawStudy(scenario: Scenario, seed: number): SimulatedTrial[] {
  const random = randomStream(seed, 'payload');
  const { noise, blocks } = scenario;
  const cells = Object.entries(scenario.truth).flatMap(([arm, truths]) =>
    truths.map((truth, index): SimulatedCell => ({ arm, index, truth })),
  );
  const total = cells.length * blocks;
  const trials: SimulatedTrial[] = [];
  let lasting = noise.lastingSd * normal(random);
  for (let block = 1; block <= blocks; block++) {
    const shared = noise.blockSd * normal(random);
    const starts = new Map(Object.keys(scenario.truth).map((arm) => [arm, noise.startSd * normal(random)]));
    for (const cell of orderOf(cells, scenario, random)) {
      lasting = noise.kept * lasting + Math.sqrt(1 - noise.kept ** 2) * noise.lastingSd * normal(random);
      const outlier = random.next() < noise.outlierRatio ? -6 * noise.trialSd : 0;
      const own = noise.trialSd * normal(random) + lasting + outlier;
      const drifted = (noise.drift * trials.length) / total;
      const log = cell.truth + shared + (starts.get(cell.arm) ?? 0) + own + drifted;
      trials.push({ ...cell, block, throughputPerSecond: 100 * Math.exp(log) });
    }
  }
  return trials;
}

function orderOf(
  cells: readonly SimulatedCell[],
  { splitPlot, truth }: Scenario,
  random: RandomStream,
): SimulatedCell[] {
  if (!splitPlot) return shuffled(cells, random);
  return shuffled(Object.keys(truth), random).flatMap((arm) =>
    shuffled(
      cells.filter((cell) => cell.arm === arm),
      random,
    ),
  );
}

/** Box and Muller (1958). */
function normal(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

interface Measured extends SimulatedCell {
  readonly values: BlockValues;
  readonly median: number;
}

/** Every verdict that the report of such a study would give, by the analysis's own tests. */
export function judgeDrawn(trials: readonly SimulatedTrial[], thresholdRatio: number): SimulatedVerdict[] {
  const cells = measuredCells(trials);
  const ranked = [...cells].sort((a, b) => b.median - a.median);
  const ofArm = (arm: string): Measured[] => cells.filter((cell) => cell.arm === arm);
  const bestOf = (arm: string): Measured | undefined => ranked.find((cell) => cell.arm === arm);
  const arms = [...new Set(cells.map((cell) => cell.arm))].filter((arm) => arm !== 'off');
  const pairs = [
    ...cells.map((cell) => pairOf('planned', cell, [cell], matching(cell, ofArm('off')), [])),
    ...arms.map((arm) => pairOf('best', bestOf(arm), ofArm(arm), bestOf('off'), ofArm('off'))),
    pairOf('lead', ranked[0], cells, ranked[1], cells),
  ].filter((pair) => pair !== null);
  const tested = pairs.flatMap((pair) => {
    const found = contest(pair.side, pair.other, thresholdRatio);
    return found === null ? [] : [{ ...pair, found, key: contestKey(pair.mine, pair.theirs, found) }];
  });
  const adjusted = adjustTogether(new Map(tested.map(({ key, found }) => [key, found])));
  return tested.map(({ key, found, kind, mine, theirs, truth }) => {
    return { kind, mine, theirs, truth, verdict: verdictOf(adjusted.get(key) ?? found) };
  });
}

function measuredCells(trials: readonly SimulatedTrial[]): Measured[] {
  const byCell = new Map<string, SimulatedTrial[]>();
  for (const trial of trials) {
    const id = `${trial.arm}/${trial.index}`;
    byCell.set(id, [...(byCell.get(id) ?? []), trial]);
  }
  return [...byCell.values()].map((of) => ({
    ...(of[0] as SimulatedTrial),
    values: new Map(of.map((trial) => [trial.block, trial.throughputPerSecond])),
    median: median(of.map((trial) => trial.throughputPerSecond)),
  }));
}

function matching(cell: Measured, off: readonly Measured[]): Measured | undefined {
  return cell.arm === 'off' ? undefined : off.find((one) => one.index === cell.index);
}

function pairOf(
  kind: SimulatedVerdict['kind'],
  mine: Measured | undefined,
  among: readonly Measured[],
  other: Measured | undefined,
  others: readonly Measured[],
): (Omit<SimulatedVerdict, 'verdict'> & { readonly side: Side; readonly other: Side }) | null {
  if (!mine || !other) return null;
  const valuesOf = (cells: readonly Measured[]): BlockValues[] => cells.map((cell) => cell.values);
  return {
    kind,
    mine: `${mine.arm}/${mine.index}`,
    theirs: `${other.arm}/${other.index}`,
    truth: mine.truth - other.truth,
    side: { chosen: mine.values, among: valuesOf(among) },
    other: { chosen: other.values, among: others.length > 0 ? valuesOf(others) : [other.values] },
  };
}

/** Whether a verdict says what is not so. A true ratio on the threshold itself is neither beyond it nor within. */
export function isFalse({ verdict, truth }: SimulatedVerdict, thresholdRatio: number): boolean {
  const rounding = 1e-9;
  const [lower, upper] = [Math.log(1 - thresholdRatio), Math.log(1 + thresholdRatio)];
  if (verdict === 'BETTER') return truth <= upper + rounding;
  if (verdict === 'WORSE') return truth >= lower - rounding;
  return verdict === 'EQUIVALENT' && (truth >= upper - rounding || truth <= lower + rounding);
}

export interface Outcome {
  readonly studies: number;
  /** Studies with at least one false BETTER or WORSE. */
  readonly falseBeyond: number;
  /** Studies with at least one false EQUIVALENT. */
  readonly falseEquivalent: number;
  /** Of all planned comparisons: how many got each verdict. */
  readonly planned: Readonly<Record<'BETTER' | 'WORSE' | 'EQUIVALENT' | 'INCONCLUSIVE', number>>;
  /** Best of an arm against best of 'off', and lead: how many were BETTER, of how many. */
  readonly bestBetter: number;
  readonly best: number;
}

/** Study number i is drawn from seed + i. */
export function simulate(scenario: Scenario, studies: number, seed: number): Outcome {
  const planned = { BETTER: 0, WORSE: 0, EQUIVALENT: 0, INCONCLUSIVE: 0 };
  let [falseBeyond, falseEquivalent, bestBetter, best] = [0, 0, 0, 0];
  for (let study = 0; study < studies; study++) {
    const verdicts = judgeDrawn(drawStudy(scenario, seed + study), scenario.thresholdRatio);
    const wrong = verdicts.filter((one) => isFalse(one, scenario.thresholdRatio));
    if (wrong.some((one) => one.verdict !== 'EQUIVALENT')) falseBeyond++;
    if (wrong.some((one) => one.verdict === 'EQUIVALENT')) falseEquivalent++;
    for (const { kind, verdict } of verdicts) {
      if (kind === 'planned' && verdict !== 'INVALID') planned[verdict]++;
      if (kind !== 'best') continue;
      best++;
      if (verdict === 'BETTER') bestBetter++;
    }
  }
  return { studies, falseBeyond, falseEquivalent, planned, bestBetter, best };
}
