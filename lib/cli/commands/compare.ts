/** mpsbench compare BASE CANDIDATE: is the second slower than the first? With an exit status for CI. */
import { Command, Option } from 'commander';
import type { ComparisonMetric, ComparisonResult } from '../../analysis/comparison-model.ts';
import { type ExitStatus, exitStatus } from '../../core/errors.ts';
import { comparePaths } from '../../report/compare-on-disk.ts';
import { comparisonMarkdown, comparisonText } from '../../report/comparison-text.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { percentValue } from '../option-values.ts';
import { outputTerminal } from '../terminal.ts';

interface CompareOptions {
  readonly metric?: ComparisonMetric;
  readonly threshold?: number;
  readonly strict?: true;
  readonly allow?: readonly string[];
  readonly force?: true;
  readonly markdown?: true;
  readonly json?: true;
}

const help = `
Each side is a study directory, a file that load --json wrote, or a folder of such files: at least three runs a side give a
verdict, and one search each (load --rate auto --json) one on the highest rate. What differs and matters (GPU, driver, server, load, versions, an incomplete study, …) is said, and nothing is
compared.

Examples:
  mpsbench compare studies/main studies/branch
  mpsbench compare loads/main loads/branch --metric p99 --threshold 10% --strict
  mpsbench compare studies/driver-570 studies/driver-580 --allow driver,CUDA

Exit status: 0 no regression was shown · 1 failed · 2 usage, or not comparable · 3 worse beyond the threshold, or with
--strict INCONCLUSIVE`;

/** For files and pipes: tables are wide. */
const defaultWidth = 120;

export function compareCommand(context: CliContext): Command {
  return new Command('compare')
    .description('compare two studies, or load results before and after a change, with an exit status for CI')
    .argument('<base>', 'what is compared with: a study directory, a load result or a folder of them')
    .argument('<candidate>', 'what the verdict is on')
    .addOption(new Option('--metric <name>', 'what the verdict is on').choices(['throughput', 'p50', 'p99']))
    .option(
      '--threshold <percent>',
      "change that matters (default: of the base's plan; 3% for load results)",
      percentValue,
    )
    .option('--strict', 'INCONCLUSIVE exits with 3 too')
    .option('--allow <facts>', 'facts that may differ, as the table names them, with commas between', factNames)
    .option('--force', 'compare whatever differs')
    .option('--markdown', 'print Markdown, for the summary of a CI job')
    .option('--json', 'print the comparison as JSON')
    .addHelpText('after', help)
    .action((base: string, candidate: string, options: CompareOptions) => compare(context, base, candidate, options));
}

async function compare(context: CliContext, base: string, candidate: string, options: CompareOptions): Promise<void> {
  const result = await comparePaths(base, candidate, {
    metric: options.metric,
    thresholdRatio: options.threshold,
    allow: options.force ? 'all' : (options.allow ?? []),
  });
  const { colour, width } = outputTerminal();
  if (options.json) context.out(jsonDocument('comparison', result));
  else if (options.markdown) context.out(comparisonMarkdown(result));
  else context.out(comparisonText(result, { colour, width: width ?? defaultWidth }));
  if (result.refused) context.err(`mpsbench: USAGE: ${refusalText(result)}\n`);
  context.exit(statusOf(result, options.strict === true));
}

function refusalText({ facts, headline, base, candidate }: ComparisonResult): string {
  const advice = facts.some((fact) => fact.matters)
    ? 'make them alike, name what may differ with --allow, or compare all the same with --force'
    : 'name two that share a cell';
  return `${base.path} and ${candidate.path} are not comparable: ${headline}; ${advice}`;
}

function statusOf({ refused, verdict }: ComparisonResult, strict: boolean): ExitStatus {
  if (refused) return exitStatus.usage;
  return verdict === 'WORSE' || (strict && verdict === 'INCONCLUSIVE') ? exitStatus.invalid : exitStatus.done;
}

function factNames(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((name) => name.trim())].filter((name) => name !== '');
}
