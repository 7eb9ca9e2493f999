/** What `load --json` and `load --json-lines` print. */
import os from 'node:os';
import process from 'node:process';
import { packageVersion } from '../core/package-version.ts';
import { intervalReport, type LoadInterval } from '../load/load-interval.ts';
import type { RunWarning } from '../load/run-warnings.ts';
import type { ThresholdVerdict } from '../load/threshold.ts';
import { jsonSchemaVersion } from '../records/document-version.ts';
import type { Headroom } from '../records/headroom.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import type { ClientPlacement } from '../records/placement.ts';
import { transportFacts } from '../records/transport.ts';

/** A run, and what was asked about its generator; null where nobody asked. */
export interface MeasuredLoad {
  readonly result: LoadResult;
  readonly headroom: Headroom | null;
  readonly placement: ClientPlacement | null;
}

/** The body of the document. Bodies and the values of headers are left out: they may be large, or secret. */
export function loadDocument(
  spec: LoadSpec,
  { result, headroom, placement }: MeasuredLoad,
  thresholds: readonly ThresholdVerdict[],
  warnings: readonly RunWarning[],
): object {
  const { url, method, headers, bodies, template, socketPath, warmupNs, timeoutNs, expectStatus, seed } = spec;
  const { summary, series, histograms, originAt } = result;
  const column = (values: Float64Array): (number | null)[] => Array.from(values, (v) => (Number.isNaN(v) ? null : v));
  return {
    url,
    method,
    headerNames: Object.keys(headers),
    bodies: bodies.length,
    template,
    socketPath,
    warmupNs,
    timeoutNs,
    expectStatus,
    seed,
    transport: transportFacts(spec.transport),
    ...clientFacts(),
    originAt,
    summary,
    thresholds,
    warnings,
    headroom,
    placement,
    series: {
      intervalNs: series.intervalNs,
      ok: column(series.ok),
      errors: column(series.errors),
      inFlight: column(series.inFlight),
      p50Ns: column(series.p50Ns),
      p99Ns: column(series.p99Ns),
    },
    histograms,
  };
}

/** What a figure of the client's depends on, and `compare` asks for: the words of environment.json. */
export function clientFacts(): { readonly tool: object; readonly host: object } {
  const cpus = os.cpus();
  const host = {
    hostname: os.hostname(),
    kernel: `${os.type()} ${os.release()}`,
    architecture: os.arch(),
    cpuModel: cpus[0]?.model.trim() ?? 'unknown',
    cpuCount: Math.max(1, cpus.length),
  };
  return { tool: { version: packageVersion(), nodeVersion: process.version }, host };
}

/** One document in one line. */
export function jsonLine(kind: string, body: object): string {
  return `${JSON.stringify({ schemaVersion: jsonSchemaVersion, kind, ...body })}\n`;
}

export function intervalLine(interval: LoadInterval): string {
  return jsonLine('load-interval', intervalReport(interval));
}
