/** `mpsbench doctor`: checks the host for a study, names the mend for each finding, and repairs what is ours. */
import { Command, Option } from 'commander';
import { recoverJournal } from '../../core/journal-recovery.ts';
import { studyPlanSchema } from '../../records/plan.ts';
import { blockedBy, type Finding, preflightStatus } from '../../study/finding.ts';
import { preflight } from '../../study/preflight.ts';
import type { PreflightFacts } from '../../study/preflight-check.ts';
import { torchserveFindings } from '../../study/server-checks.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { readHostFacts } from '../host-facts.ts';
import { wholeNumberValue } from '../option-values.ts';
import { conclusion, renderFindings } from '../render/findings.ts';
import { renderRecovery } from '../render/recovery.ts';
import { outputTerminal } from '../terminal.ts';

interface DoctorOptions {
  readonly json?: true;
  readonly repair?: true;
  readonly server?: 'torchserve';
  readonly workers: number;
}

const help = `
Examples:
  mpsbench doctor
  mpsbench doctor --workers 16 --json
  mpsbench doctor --server torchserve      Java and TorchServe too
  mpsbench doctor --repair      stop and remove what a killed mpsbench left behind, then check

Makes one short-lived CUDA context per device, outside MPS, to see whether a worker could.
Exit status: 0 every arm can run (warnings allowed), 1 no study can run, 2 usage,
3 a study can run but without its MPS arms, its GPU or its arm 'off'.`;

export function doctorCommand(context: CliContext): Command {
  return new Command('doctor')
    .description('check the host for a study and name the mend for each finding')
    .option('--json', 'one JSON document on standard output')
    .option('--repair', 'first undo what a killed mpsbench of this user left behind; nothing else is touched')
    .option(
      '--workers <count>',
      'largest number of workers that is planned',
      wholeNumberValue(1),
      largestDefaultWorkers(),
    )
    .addOption(new Option('--server <kind>', 'check too what this kind of server needs').choices(['torchserve']))
    .addHelpText('after', help)
    .action(async (options: DoctorOptions) => {
      if (options.repair) await repair(context);
      const facts = await readHostFacts(context, { plannedWorkers: options.workers, withContexts: true });
      const server = options.server === undefined ? [] : await torchserveFindings(context.signal);
      const findings = [...preflight(facts), ...server];
      context.out(options.json ? doctorDocument(facts, findings) : renderFindings(findings, outputTerminal().width));
      context.exit(preflightStatus(findings));
    });
}

function doctorDocument(facts: PreflightFacts, findings: readonly Finding[]): string {
  return jsonDocument('doctor', {
    conclusion: conclusion(findings),
    blocked: [...blockedBy(findings)],
    plannedWorkers: facts.plannedWorkers,
    findings,
    environment: facts.environment,
  });
}

async function repair(context: CliContext): Promise<void> {
  const recoveries = await recoverJournal();
  if (recoveries.length === 0) context.err('repair: nothing was left behind\n');
  for (const recovery of recoveries) context.err(`repair: ${renderRecovery(recovery)}\n`);
}

function largestDefaultWorkers(): number {
  return Math.max(...studyPlanSchema.parse({}).workers);
}
