/** The kill table as a page of Markdown. */
import type { TrialRecord } from '../../lib/records/trial.ts';
import { type Fault, faults, type StepName, steps } from './kill-steps.ts';

const head = `# What a killed process does to a study

A study with MPS, of which one trial is done and the next one runs, is held at a step; then one of its processes gets a
SIGKILL, or the MPS daemon answers no more. Run on the fakes of \`test/fakes\` (driver, GPU and MPS), written by

    MPSBENCH_UPDATE_GOLDEN=1 node --import tsx --test test/study/kill-table.test.ts

In every cell: the finished trial stays as it was, byte by byte; no process, directory, journal or lock is left (after a
kill of the tool: once the next \`mpsbench study\` or \`mpsbench doctor --repair\` has run); \`study --resume\` completes each
trial of the drawn order once, without a foreign process or memory that was not released; and the report is, byte by
byte, what \`mpsbench report\` makes of the same records elsewhere. A trial that failed is on disk with its reason and does
not count; the study goes on to its report, says so in the trial's line, and runs a failed trial again under \`--resume\`.

`;

const foot = `
\`cleaned\`: what the next start ended and removed, from the journal. \`failed\`, \`void\`: the trial with the code of its
reason; void trials ran to their end and do not count. \`completed\`: the trial counts. –: the process is not there.

The fake's clients survive their MPS server, so that before the proof of attachment its death goes unseen, as long as the
daemon has made another; on a real driver the workers fail with it. After the proof the server's PID is compared.
A kill between two trials, Ctrl-C at each step, and faults of device, driver and server: \`test/study/interrupts.test.ts\`,
\`trial-faults.test.ts\`, \`host-faults.test.ts\`. Disk full, no descriptors, a suspended process group:
\`outputs.test.ts\`, \`starved-host.test.ts\`.
`;

export function outcomeOf({ status, reasons }: TrialRecord): string {
  const code = reasons[0]?.code;
  if (status === 'failed') return `failed: ${code}`;
  const voids = reasons.filter((reason) =>
    ['mps-failed', 'worker-died', 'attachment-not-proved'].includes(reason.code),
  );
  return voids[0] ? `void: ${voids[0].code}` : 'completed';
}

export function tableText(
  table: readonly (readonly [StepName, readonly Fault[]])[],
  outcomes: ReadonlyMap<string, string>,
): string {
  const columns = Object.keys(faults) as Fault[];
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const rows = table.map(([step]) =>
    row([steps[step].name, ...columns.map((fault) => outcomes.get(`${step} ${fault}`) ?? '–')]),
  );
  const title = row(['step', ...columns.map((fault) => faults[fault])]);
  return [head, title, row(['---', ...columns.map(() => '---')]), ...rows, foot].join('');
}
