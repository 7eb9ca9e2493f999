/** The report on one terminal screen: table, answer, warnings. */
import Table from 'cli-table3';
import picocolors from 'picocolors';
import type { StudySummary } from '../analysis/summary-model.ts';
import { type DecisionRow, decisionRows, hasComparison, hasMemory } from './decision-rows.ts';

export interface TextOptions {
  /** Colours only where a terminal shows them. */
  readonly colour: boolean;
  /** Columns to which sentences are wrapped. */
  readonly width: number;
}

interface Column {
  readonly heading: string;
  readonly value: (row: DecisionRow) => string;
  readonly right?: boolean;
}

/** Ends with a newline. */
export function textReport(summary: StudySummary, options: TextOptions): string {
  const paint = picocolors.createColors(options.colour);
  const { answer } = summary;
  const wrapped = (text: string, indent = ''): string => wrap(text, options.width, indent);
  const cautions = answer.cautions.map((caution) => paint.yellow(wrapped(`! ${caution}`, '  ')));
  const sections = [
    [paint.bold(summary.name), ...heading(summary).map((line) => paint.dim(wrapped(line)))],
    [table(summary, paint), paint.dim(wrapped(legend(summary)))],
    [paint.bold(wrapped(answer.headline)), ...answer.lines.map((line) => wrapped(line))],
    cautions,
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

function heading(summary: StudySummary): string[] {
  const { conditions, blocks, trialsValid, trialsRun, trialsPlanned } = summary;
  const device = conditions.deviceName
    ? `${conditions.deviceName}, driver ${conditions.driverVersion ?? 'unknown'}`
    : `no GPU, ${conditions.cpu}`;
  const server = conditions.server ? `${conditions.server}; ` : '';
  const trials = `${blocks} blocks, ${trialsRun} of ${trialsPlanned} trials run, ${trialsValid} valid`;
  return [`${server}${device}`, `${conditions.load}; ${trials}`];
}

function table(summary: StudySummary, paint: ReturnType<typeof picocolors.createColors>): string {
  const columns = columnsOf(summary);
  const output = new Table({
    head: columns.map((column) => column.heading),
    colAligns: columns.map((column) => (column.right === false ? 'left' : 'right')),
    chars: plainRules,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
  });
  let previous: DecisionRow | undefined;
  for (const row of decisionRows(summary)) {
    const group = previous && (previous.workers !== row.workers || previous.batchSize !== row.batchSize);
    if (group && summary.arms.length > 1) output.push(columns.map(() => ''));
    const repeated = previous && !group && summary.arms.length > 1;
    const shown = repeated ? { ...row, workers: '', batchSize: '' } : row;
    output.push(columns.map((column) => painted(column.value(shown), row, paint)));
    previous = row;
  }
  return output
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** No frame: columns stay readable when the output goes to a file or a message. */
const plainRules = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

function columnsOf(summary: StudySummary): Column[] {
  const columns: Column[] = [
    { heading: 'workers', value: (row) => row.workers },
    { heading: 'batch', value: (row) => row.batchSize },
    { heading: 'arm', value: (row) => (row.recommended ? `${row.arm} *` : row.arm), right: false },
    { heading: 'req/s [min .. max]', value: (row) => row.throughput },
    { heading: 'valid', value: (row) => row.trials },
  ];
  if (hasComparison(summary)) {
    columns.push(
      { heading: 'vs off [95 %]', value: (row) => row.ratio },
      { heading: 'verdict', value: (row) => row.verdict, right: false },
    );
  } else if (!summary.valid) {
    columns.push({ heading: 'verdict', value: (row) => row.verdict, right: false });
  }
  columns.push({ heading: 'p99', value: (row) => row.p99 });
  if (hasMemory(summary)) {
    columns.push(
      { heading: 'MiB used', value: (row) => row.memory },
      { heading: 'vs off', value: (row) => row.memoryDifference },
      { heading: 'MiB/worker', value: (row) => row.perWorker },
    );
  }
  return columns;
}

function painted(text: string, row: DecisionRow, paint: ReturnType<typeof picocolors.createColors>): string {
  if (text === 'BETTER') return paint.green(text);
  if (text === 'WORSE' || text === 'INVALID' || text === 'NOT RUN') return paint.red(text);
  if (text === 'INCONCLUSIVE') return paint.yellow(text);
  if (row.recommended) return paint.bold(text);
  return row.invalid ? paint.dim(text) : text;
}

function legend(summary: StudySummary): string {
  const percent = Number((summary.thresholdRatio * 100).toFixed(3));
  const parts = ['* recommended', 'req/s = median over trials', 'valid = valid of planned trials'];
  if (hasComparison(summary)) {
    parts.push(`vs off = same workers and batch, paired by block, verdict against a threshold of ${percent} %`);
  }
  if (hasMemory(summary)) parts.push('MiB used = device memory over baseline at the end of the measurement');
  return `${parts.join('; ')}.`;
}

/** Breaks at spaces; a word longer than the width stays whole. */
function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
