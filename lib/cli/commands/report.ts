/** mpsbench report DIR: every figure again from the records, with no GPU and no addon; also by other conditions. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { OtherChoice } from '../../analysis/choice-afterwards.ts';
import type { StudySummary } from '../../analysis/summary-model.ts';
import { messageOf } from '../../core/errors.ts';
import { parseConstraint } from '../../records/constraint.ts';
import { type Objective, objectives } from '../../records/plan.ts';
import { openStudyDirectory } from '../../records/study-directory.ts';
import { deriveFiles, readSummary } from '../../report/derived-files.ts';
import { writeElsewhere } from '../../report/write-elsewhere.ts';
import { rebuildReport } from '../../report/write-report.ts';
import type { CliContext } from '../context.ts';
import { printSummary } from '../print-summary.ts';

interface ReportOptions {
  readonly constraint?: readonly string[];
  readonly objective?: Objective;
  readonly out?: string;
  readonly json?: true;
}

const help = `
With --constraint or --objective the recommendation is made anew from the same records, and is said to be made after
the figures were known. The study's own files stay as they are: the result is printed, and written where --out says.

Examples:
  mpsbench report mpsbench-studies/2026-11-22 --json
  mpsbench report mpsbench-studies/2026-11-22 --constraint 'p99 < 50ms' --objective memory --out small-memory`;

const noConstraints = 'none';

export function reportCommand(context: CliContext): Command {
  return new Command('report')
    .description('re-derive summary, tables and figures of a study from its records')
    .argument('<directory>', 'the directory that study wrote')
    .option(
      '--constraint <condition>',
      "recommend by this condition in place of the plan's, such as 'p99 < 50ms'; may be repeated; none = without any",
      constraintValue,
    )
    .addOption(
      new Option('--objective <what>', "recommend the best in this, in place of the plan's").choices(objectives),
    )
    .option('--out <dir>', 'write the files there, and leave those of the study as they are')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', help)
    .action(async (path: string, options: ReportOptions) => {
      context.exit(printSummary(context, await report(path, options), options.json === true));
    });
}

async function report(path: string, options: ReportOptions): Promise<StudySummary> {
  const directory = await openStudyDirectory(path);
  const other = otherChoice(options);
  if (options.out !== undefined) {
    const { summary, files } = await deriveFiles(directory, other);
    await writeElsewhere(options.out, path, files);
    return summary;
  }
  return other === null ? await rebuildReport(directory) : await readSummary(directory, other);
}

function otherChoice({ constraint, objective }: ReportOptions): OtherChoice | null {
  if (constraint === undefined && objective === undefined) return null;
  return {
    ...(objective !== undefined && { objective }),
    ...(constraint !== undefined && { constraints: constraint.filter((text) => text !== noConstraints) }),
  };
}

function constraintValue(text: string, before: readonly string[] = []): string[] {
  if (text === noConstraints) return [...before, text];
  try {
    return [...before, parseConstraint(text).text];
  } catch (thrown) {
    throw new InvalidArgumentError(messageOf(thrown));
  }
}
