/** mpsbench report DIR: every figure again from the records, with no GPU and no addon. */
import { Command } from 'commander';
import picocolors from 'picocolors';
import { exitStatus } from '../../core/errors.ts';
import { openStudyDirectory } from '../../records/study-directory.ts';
import { textReport } from '../../report/text.ts';
import { rebuildReport } from '../../report/write-report.ts';
import { type CliContext, jsonDocument } from '../context.ts';

const defaultWidth = 100;

/** Exit status 3 if a cell that was to be measured has no valid trial. */
export function reportCommand(context: CliContext): Command {
  return new Command('report')
    .description('re-derive summary, tables and figures of a study from its records')
    .argument('<directory>', 'the directory that study wrote')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', '\nExample:\n  mpsbench report mpsbench-studies/2026-11-22 --json')
    .action(async (path: string, options: { readonly json?: true }) => {
      const directory = await openStudyDirectory(path);
      const summary = await rebuildReport(directory);
      context.out(options.json ? jsonDocument('study-summary', summary) : textReport(summary, terminal()));
      context.exit(summary.valid ? exitStatus.done : exitStatus.invalid);
    });
}

/** Colours and width of stdout; a file or a pipe has neither. */
function terminal(): { readonly colour: boolean; readonly width: number } {
  const isTerminal = process.stdout.isTTY === true;
  return {
    colour: isTerminal && picocolors.isColorSupported,
    width: isTerminal ? Math.max(60, process.stdout.columns ?? defaultWidth) : defaultWidth,
  };
}
