/**
 * How often verdicts are false, and what they find: `npm run simulate -- --studies 2000 --seed 20261122 --out DIR`.
 * Exit status 1: a rate of false verdicts is above 5 %, by more than chance (its exact interval is above).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { studyAlpha } from '../lib/analysis/contest.ts';
import { clopperPearson } from '../lib/stats/binomial.ts';
import { markdownTable } from './outcome.ts';
import { questions } from './verdict-scenarios.ts';
import { type Outcome, type Scenario, simulate } from './verdict-simulation.ts';

const { values } = parseArgs({
  options: {
    studies: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '20261122' },
    blocks: { type: 'string', default: '5,6,8' },
    out: { type: 'string' },
  },
});
const studies = Number(values.studies);
const seed = Number(values.seed);
const blockCounts = values.blocks.split(',').map(Number);

interface Row {
  readonly about: string;
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

const rows: Row[] = [];
for (const { about, scenario } of questions) {
  for (const blocks of blockCounts) {
    const drawn = { ...scenario, blocks };
    rows.push({ about, scenario: drawn, outcome: simulate(drawn, studies, seed) });
    console.error(`${about}: ${scenario.name}, ${blocks} blocks`);
  }
}

const text = report(rows);
console.log(text);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'verdicts.md'), `${text}\n`);
  writeFileSync(join(values.out, 'verdicts.json'), `${JSON.stringify({ seed, studies, rows }, null, 1)}\n`);
}
process.exitCode = rows.some((row) =>
  falseCounts(row).some((count) => clopperPearson(count, studies).lowerRatio > studyAlpha),
)
  ? 1
  : 0;

function falseCounts({ outcome }: Row): number[] {
  return [outcome.falseBeyond, outcome.falseEquivalent];
}

function report(all: readonly Row[]): string {
  return [
    `Seed ${seed}, ${studies} studies a row. Rates of false verdicts are per study (any of its verdicts), with their exact`,
    'interval (Clopper-Pearson, 95 %).',
    '',
    ...['no false BETTER or WORSE', 'no false EQUIVALENT'].flatMap((about) => falseTable(about, all)),
    ...powerTable(all),
  ].join('\n');
}

function falseTable(about: string, all: readonly Row[]): string[] {
  const of = all.filter((row) => row.about === about);
  const table = markdownTable(
    ['truth', 'blocks', 'studies with a false BETTER or WORSE', 'with a false EQUIVALENT'],
    of.map(({ scenario, outcome }) => [
      scenario.name,
      String(scenario.blocks),
      rateText(outcome.falseBeyond),
      rateText(outcome.falseEquivalent),
    ]),
  );
  return [`## ${about[0]?.toUpperCase()}${about.slice(1)}`, '', table, ''];
}

function powerTable(all: readonly Row[]): string[] {
  const table = markdownTable(
    ['truth', 'blocks', 'BETTER', 'EQUIVALENT', 'INCONCLUSIVE', 'WORSE', 'best against best: BETTER'],
    all
      .filter((row) => row.about === 'power')
      .map(({ scenario, outcome: { planned, best, bestBetter } }) => {
        const total = Object.values(planned).reduce((sum, count) => sum + count, 0);
        const share = (count: number): string => percentText(count / total);
        return [
          ...[scenario.name, String(scenario.blocks), share(planned.BETTER), share(planned.EQUIVALENT)],
          ...[share(planned.INCONCLUSIVE), share(planned.WORSE), percentText(best === 0 ? 0 : bestBetter / best)],
        ];
      }),
  );
  return ['## What is found', '', 'Share of the twelve planned comparisons by verdict, threshold 3 %.', '', table];
}

function rateText(count: number): string {
  const { lowerRatio, upperRatio } = clopperPearson(count, studies);
  return `${percentText(count / studies)} [${percentText(lowerRatio)}, ${percentText(upperRatio)}]`;
}

function percentText(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio < 0.1 ? 2 : 1)} %`;
}
