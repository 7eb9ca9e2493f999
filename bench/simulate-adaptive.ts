/** Adaptive studies against the full grid: replayed on recorded studies, and simulated where the truth is known. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AdaptiveCourse, type AdaptiveTrial, adaptiveCourse } from '../lib/analysis/adaptive.ts';
import { randomStream } from '../lib/core/random.ts';
import { type Cell, cellId } from '../lib/records/arm.ts';
import type { StudyPlan } from '../lib/records/plan.ts';
import { readStudy } from '../lib/report/study-on-disk.ts';
import { firstLook } from '../lib/stats/sequential.ts';

const seed = 20261122;
/** Of an adaptive plan. */
const fewestBlocks = 3;
const studiesPerScene = 2000;

function studiesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true });
  if (entries.some(({ name }) => name === 'trials.jsonl')) return [directory];
  return entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => studiesBelow(join(directory, name)));
}

function winnerOf(trials: readonly AdaptiveTrial[]): string | null {
  const byCell = new Map<string, number[]>();
  for (const { cellId: id, throughputPerSecond } of trials)
    byCell.set(id, [...(byCell.get(id) ?? []), throughputPerSecond]);
  const middle = (values: readonly number[]): number => {
    const sorted = [...values].sort((a, b) => a - b);
    return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
  };
  const ranked = [...byCell].sort(([, a], [, b]) => middle(b) - middle(a));
  return ranked[0]?.[0] ?? null;
}

/** Block by block with what it would have run alone: cells that have stopped lend their spread no longer. */
function asRun(
  plan: Pick<StudyPlan, 'blocks' | 'thresholdRatio'>,
  cells: readonly Cell[],
  trials: readonly AdaptiveTrial[],
): { readonly course: AdaptiveCourse; readonly seen: readonly AdaptiveTrial[] } {
  const seen = trials.filter(({ block }) => block <= firstLook);
  let course = adaptiveCourse(plan, cells, seen);
  for (let block = firstLook + 1; block <= plan.blocks; block++) {
    const active = course.activeByBlock[block - 1];
    if (!active || active.size === 0) break;
    seen.push(...trials.filter((trial) => trial.block === block && active.has(trial.cellId)));
    course = adaptiveCourse(plan, cells, seen);
  }
  return { course, seen };
}

/** What an adaptive study would have run of a recorded one, and what it would have said. */
async function replay(directory: string): Promise<string> {
  const { plan, summary, trials: records } = await readStudy(directory);
  const name = directory.replace(/^.*bench\/results\//, '');
  const whole = Math.min(...summary.cells.map(({ trialsRun }) => trialsRun));
  if (whole < Math.max(fewestBlocks, plan.blocks)) {
    const why = `its cells have ${whole} to ${plan.blocks} blocks, so that there is no full grid of ${fewestBlocks} or more to compare with`;
    return `| ${name} | ${records.length} | not replayed: ${why} | | | |`;
  }
  const cells = summary.cells.map(({ cell }) => cell);
  const valid = summary.trials.filter(({ counts, validity }) => counts && validity.state === 'VALID');
  const trials = valid.map(({ block, cellId: id, figures }) => ({
    ...{ block, cellId: id, throughputPerSecond: figures.throughputPerSecond ?? 0 },
  }));
  const { course, seen } = asRun(plan, cells, trials);
  const runs = (block: number, id: string): boolean => course.activeByBlock[block - 1]?.has(id) ?? false;
  const spanOf = (of: typeof records): number =>
    of.reduce((sum, record) => sum + Date.parse(record.endedAt) - Date.parse(record.startedAt), 0);
  const share = spanOf(records.filter(({ block, cell }) => runs(block, cellId(cell)))) / spanOf(records);
  const differing = summary.cells.flatMap(({ cellId: id, comparison }) => {
    const decided = course.decisions.find((decision) => decision.cellId === id);
    if (!comparison || !decided || comparison.verdict === decided.verdict) return [];
    return [`${id}: ${comparison.verdict} → ${decided.verdict}`];
  });
  const full = winnerOf(trials);
  const adaptive = winnerOf(seen);
  const compared = summary.cells.filter(({ comparison }) => comparison).length;
  const same = `${compared - differing.length} of ${compared}`;
  return `| ${name} | ${records.length} | ${(share * 100).toFixed(1)} % | ${same} | ${differing.join('; ') || 'none'} | ${full === adaptive ? `same (${full})` : `${full} → ${adaptive}`} |`;
}

interface Scene {
  readonly name: string;
  /** Ratio of every MPS cell to off. */
  readonly ratio: number;
  /** Spread of a trial, and by how much it differs from cell to cell (factor, up or down). */
  readonly sd: number;
  readonly unevenness: number;
}

const scenes: readonly Scene[] = [
  { name: 'no effect', ratio: 1, sd: 0.02, unevenness: 1 },
  { name: 'no effect, spread of cells differs 3x', ratio: 1, sd: 0.03, unevenness: 3 },
  { name: 'at the threshold (+3 %)', ratio: 1.03, sd: 0.01, unevenness: 1 },
  { name: 'at the threshold, spread differs 3x', ratio: 1.03, sd: 0.01, unevenness: 3 },
  { name: '+10 %', ratio: 1.1, sd: 0.02, unevenness: 1 },
  { name: '+30 %', ratio: 1.3, sd: 0.02, unevenness: 1 },
];

function simulate({ name, ratio, sd, unevenness }: Scene, studies: number): string {
  const random = randomStream(seed, 'bootstrap');
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const arms = ['off', 'mps', 'mps:50'];
  const cells: Cell[] = [1, 2, 4].flatMap((workers) =>
    [1, 8].flatMap((batchSize) => arms.map((arm) => ({ workers, batchSize, arm }))),
  );
  const plan = { blocks: 5, thresholdRatio: 0.03 };
  const told = { BETTER: 0, WORSE: 0, EQUIVALENT: 0, INCONCLUSIVE: 0, INVALID: 0 };
  let run = 0;
  let decisions = 0;
  for (let study = 0; study < studies; study++) {
    const spreads = cells.map(() => sd * unevenness ** (2 * random.next() - 1));
    const trials = Array.from({ length: plan.blocks }, (_, index) => index + 1).flatMap((block) => {
      const drift = 0.02 * normal();
      return cells.map((cell, at) => ({
        ...{ block, cellId: cellId(cell) },
        // Workers and batches differ as they do, so that there is a clear best one but for the arms.
        throughputPerSecond:
          100 *
          cell.workers *
          cell.batchSize *
          (cell.arm === 'off' ? 1 : ratio) *
          Math.exp(drift + (spreads[at] ?? sd) * normal()),
      }));
    });
    const { course } = asRun(plan, cells, trials);
    for (const active of course.activeByBlock) run += active.size;
    for (const { verdict } of course.decisions) told[verdict]++;
    decisions += course.decisions.length;
  }
  const percent = (count: number): string => `${((100 * count) / decisions).toFixed(2)} %`;
  const share = ((100 * run) / (studies * plan.blocks * cells.length)).toFixed(0);
  return `| ${name} | ${sd * 100} % | ${percent(told.BETTER)} | ${percent(told.WORSE)} | ${percent(told.EQUIVALENT)} | ${percent(told.INCONCLUSIVE)} | ${share} % |`;
}

async function main(): Promise<void> {
  const [out, ...directories] = process.argv.slice(2);
  const studies = directories.flatMap(studiesBelow);
  const replays: string[] = [];
  for (const study of studies) replays.push(await replay(study));
  const lines = [
    '# Adaptive studies against the full grid',
    '',
    `\`node --import tsx bench/simulate-adaptive.ts ${out ?? '-'} ${directories.join(' ')}\`, seed ${seed}.`,
    '',
    '## Replay of recorded studies',
    '',
    'What `--adaptive` would have run of them, by the wall time of their trials, and what it would have said.',
    '',
    '| study | trials | time of the full grid | same verdicts | other verdicts (full → adaptive) | best cell |',
    '|---|---|---|---|---|---|',
    ...replays,
    '',
    '## Simulation',
    '',
    '2,000 studies each: 18 cells (3 × 2 × 3 arms), 5 blocks, normal log-throughput with drift between blocks. Verdicts per comparison with off.',
    '',
    '| truth | sd of a trial | BETTER | WORSE | EQUIVALENT | INCONCLUSIVE | trials of the full grid |',
    '|---|---|---|---|---|---|---|',
    ...scenes.map((scene) => simulate(scene, studiesPerScene)),
    '',
  ];
  const text = lines.join('\n');
  if (out && out !== '-') writeFileSync(out, text);
  process.stdout.write(text);
}

await main();
