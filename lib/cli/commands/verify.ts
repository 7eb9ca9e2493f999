/** mpsbench verify DIR: every derived file made again and compared to the byte, every record against its digest. */
import { Command } from 'commander';
import { exitStatus } from '../../core/errors.ts';
import { verifyStudy } from '../../report/verify-study.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { renderVerification, versionNote } from '../render/verification.ts';

const help = `
Example:
  mpsbench verify mpsbench-studies/2026-11-22

Needs neither GPU nor addon, and writes nothing. Exit status: 0 every byte is as it should be · 1 one is not, or the
records cannot be read. Whether the study is valid is not asked here; report tells.`;

export function verifyCommand(context: CliContext): Command {
  return new Command('verify')
    .description('check that no byte of a study was changed: records by digest, reports made again')
    .argument('<directory>', 'the directory that study wrote')
    .option('--json', 'print every file with its state as JSON')
    .addHelpText('after', help)
    .action(async (path: string, options: { readonly json?: true }) => {
      const checked = await verifyStudy(path);
      context.out(options.json ? jsonDocument('verification', checked) : renderVerification(checked));
      const note = versionNote(checked);
      if (note) context.err(`${note}\n`);
      context.exit(checked.intact ? exitStatus.done : exitStatus.failed);
    });
}
