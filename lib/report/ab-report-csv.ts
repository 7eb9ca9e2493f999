/** ab_report.csv: the columns of benchmark-ab.py's report, a row for each cell, empty where TorchServe does not say. */
import { stringify } from 'csv-stringify/sync';
import type { AbRow } from '../analysis/ab-report.ts';

const bytesPerMebibyte = 2 ** 20;

/** benchmark-ab.py reads these off a log that a study turns down; see docs/migrating-from-benchmark-ab.md. */
const notTold = (): null => null;

const columns: readonly (readonly [heading: string, value: (row: AbRow) => string | number | null])[] = [
  ['Benchmark', ({ cell }) => `mpsbench ${cell.arm}`],
  ['TS failed requests', (row) => row.failedRequests],
  ['TS throughput', (row) => rounded(row.throughputPerSecond, 2)],
  ['TS latency P50', (row) => milliseconds(row.p50Ns)],
  ['TS latency P90', (row) => milliseconds(row.p90Ns)],
  ['TS latency P99', (row) => milliseconds(row.p99Ns)],
  ['TS latency mean', (row) => milliseconds(row.meanNs)],
  ['TS error rate', (row) => rounded(row.errorPercent, 4)],
  ['Batch size', ({ cell }) => cell.batchSize],
  ['Batch delay', ({ plan }) => milliseconds(plan.maxBatchDelay)],
  ['Workers', ({ cell }) => cell.workers],
  ['Model', ({ plan }) => plan.model],
  ['Concurrency', (row) => row.concurrency],
  ['Input', ({ plan }) => plan.body],
  ['Requests', (row) => row.requests],
  ['Model_p50', notTold],
  ['Model_p90', notTold],
  ['Model_p99', notTold],
  ['Queue time p50', notTold],
  ['Queue time p90', notTold],
  ['Queue time p99', notTold],
  ['predict_mean', notTold],
  ['handler_time_mean', notTold],
  ['waiting_time_mean', notTold],
  ['worker_thread_mean', notTold],
  ['cpu_percentage_mean', notTold],
  ['memory_percentage_mean', notTold],
  ['gpu_percentage_mean', ({ gpu }) => rounded(gpu.utilizationPercent, 2)],
  ['gpu_memory_percentage_mean', ({ gpu }) => rounded(gpu.memoryUsedPercent, 2)],
  ['gpu_memory_used_mean', ({ gpu }) => rounded(mebibytes(gpu.memoryUsedBytes), 2)],
];

/** RFC 4180 with line feeds; text that a spreadsheet would run as a formula is quoted as text. */
export function abReportCsv(rows: readonly AbRow[]): string {
  const values = rows.map((row) => columns.map(([, value]) => value(row)));
  return stringify([columns.map(([heading]) => heading), ...values], { escape_formulas: true });
}

function milliseconds(spanNs: number | null): number | null {
  return spanNs === null ? null : rounded(spanNs / 1e6, 3);
}

function mebibytes(bytes: number | null): number | null {
  return bytes === null ? null : bytes / bytesPerMebibyte;
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
