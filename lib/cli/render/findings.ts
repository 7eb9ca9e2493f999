/** One screen for the findings of the preflight checks, each with its mend, and the conclusion. */
import { printable } from '../../core/printable.ts';
import { counted } from '../../core/units.ts';
import { wrap } from '../../report/wrap.ts';
import { type Blocked, blockedBy, type Finding, type FindingGroup, findingGroups } from '../../study/finding.ts';

const headings: Readonly<Record<FindingGroup, string>> = {
  host: 'Host',
  driver: 'Driver',
  device: 'Devices',
  mps: 'MPS',
  variables: 'Variables',
  leftovers: 'Leftovers of a killed mpsbench',
  server: 'Server',
};

const marks = { blocker: 'BLOCKS', warning: 'warn', info: 'note', ok: 'ok' } as const;

const conclusions: Readonly<Record<Blocked, string>> = {
  everything: 'No study can run here.',
  gpu: 'No GPU: a study runs on the CPU, and its MPS arms are left out.',
  mps: 'MPS arms can not run here; the rest of a study can.',
  off: 'The arm `off` can not run with more than one worker; MPS arms can.',
};

/** Findings under their group's heading, mends indented below, the conclusion last. */
export function renderFindings(findings: readonly Finding[], width: number | null = null): string {
  const limit = width ?? Number.POSITIVE_INFINITY;
  const groups = findingGroups.flatMap((group) => {
    const own = findings.filter((finding) => finding.group === group);
    return own.length === 0
      ? []
      : [`${headings[group]}\n${own.map((finding) => renderFinding(finding, limit)).join('')}`];
  });
  return `${groups.join('\n')}\n${conclusion(findings)}\n`;
}

function renderFinding(finding: Finding, limit: number): string {
  const what = finding.blocks === null ? marks[finding.severity] : `${marks.blocker} ${finding.blocks}`;
  const mend = finding.mend === null ? '' : `${wrap(`      -> ${finding.mend}`, limit, ' '.repeat(9))}\n`;
  return `${wrap(`  ${what.padEnd(4)}  ${finding.subject}: ${printable(finding.message)}`, limit, ' '.repeat(8))}\n${mend}`;
}

/** What a study can do here, in one line. */
export function conclusion(findings: readonly Finding[]): string {
  const blocked = blockedBy(findings);
  const widest = (['everything', 'gpu', 'mps', 'off'] as const).filter((scope) => blocked.has(scope));
  if (widest.includes('everything')) return conclusions.everything;
  if (widest.includes('gpu')) return conclusions.gpu;
  if (widest.length > 1) return 'Neither the MPS arms nor the arm `off` with more than one worker can run here.';
  if (widest[0] !== undefined) return conclusions[widest[0]];
  const warnings = findings.filter((finding) => finding.severity === 'warning').length;
  if (warnings === 0) return 'Ready: every arm can run.';
  return `Ready: every arm can run; ${counted(warnings, 'warning')} to look at.`;
}
