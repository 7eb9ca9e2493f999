/** What `verify` found: a line for each file that is not as it should be, and what was checked. */
import { printable } from '../../core/printable.ts';
import { counted } from '../../core/units.ts';
import { plainTableLines } from '../../report/plain-table.ts';
import type { StudyVerification } from '../../report/verify-study.ts';

/** Ends with a newline. */
export function renderVerification(checked: StudyVerification): string {
  const odd = checked.files.filter((file) => file.state !== 'same');
  const rows = odd.map(({ name, state, detail }) => [state, printable(name), detail ?? '']);
  const columns = [{ heading: '' }, { heading: '' }, { heading: '' }];
  const findings = rows.length === 0 ? [] : plainTableLines(columns, rows);
  const problem = checked.problem ? [`${checked.problem.code}: ${checked.problem.message}`] : [];
  return `${[...findings, ...problem, recordsLine(checked), derivedLine(checked)].join('\n')}\n`;
}

function recordsLine(checked: StudyVerification): string {
  if (checked.manifest === 'missing') {
    return 'records: not checked, there is no manifest.json (the study was interrupted, or is of a version without one)';
  }
  return `records: ${tally(checked, 'record')} as they were when the study ended (manifest.json, SHA-256 ${checked.manifestSha256})`;
}

function derivedLine(checked: StudyVerification): string {
  if (checked.problem) return 'derived files: not checked, since they cannot be made from these records';
  return `derived files: ${tally(checked, 'derived')} as the records give them`;
}

function tally(checked: StudyVerification, part: 'record' | 'derived'): string {
  const files = checked.files.filter((file) => file.part === part && file.state !== 'unexpected');
  const same = files.filter((file) => file.state === 'same').length;
  return same === files.length
    ? `all of ${counted(files.length, 'file')}`
    : `${same} of ${counted(files.length, 'file')}`;
}

/** Another version may word a report otherwise: then the derived files alone differ, all of them. */
export function versionNote({ recordedBy, verifiedBy, files }: StudyVerification): string | null {
  const derivedDiffer = files.some((file) => file.part === 'derived' && file.state !== 'same');
  if (recordedBy === null || recordedBy === verifiedBy || !derivedDiffer) return null;
  return `note: recorded by mpsbench ${recordedBy}, and this is ${verifiedBy}, which may word a report otherwise: \`mpsbench report\` writes it anew`;
}
