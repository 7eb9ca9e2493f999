/** What a benchmark hands back, and the tables that are made of it. */

/** One line of the table of targets. */
export interface TargetResult {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  /** null = could not be measured here; `measured` says why. */
  readonly met: boolean | null;
}

export interface BenchOutcome {
  /** What was done and measured, with its tables. */
  readonly markdown: string;
  /** Every figure behind it. */
  readonly data: unknown;
  readonly targets: readonly TargetResult[];
}

/** How a benchmark is asked to run. */
export interface BenchSettings {
  readonly rounds: number;
  /** Length of one measurement of a round; benchmarks with a length of their own keep it unless it is given. */
  readonly seconds: number | null;
  readonly clientCore: number;
  readonly serverCore: number;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function targetsTable(targets: readonly TargetResult[]): string {
  const word = ({ met }: TargetResult): string => (met === null ? 'not measured' : met ? 'met' : '**not met**');
  const rows = targets.map((target) => [target.what, target.target, target.measured, word(target)]);
  return markdownTable(['what', 'target', 'measured', ''], rows);
}
