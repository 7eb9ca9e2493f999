/** mpsbench report DIR: every figure again from the records, with no GPU and no addon. */
import { Command } from 'commander';
import { openStudyDirectory } from '../../records/study-directory.ts';
import { rebuildReport } from '../../report/write-report.ts';
import type { CliContext } from '../context.ts';
import { printSummary } from '../print-summary.ts';

export function reportCommand(context: CliContext): Command {
  return new Command('report')
    .description('re-derive summary, tables and figures of a study from its records')
    .argument('<directory>', 'the directory that study wrote')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', '\nExample:\n  mpsbench report mpsbench-studies/2026-11-22 --json')
    .action(async (path: string, options: { readonly json?: true }) => {
      const directory = await openStudyDirectory(path);
      context.exit(printSummary(context, await rebuildReport(directory), options.json === true));
    });
}
