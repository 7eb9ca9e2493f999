/** What a trial's series file is read for: small figures, so that no file need be kept once it was looked at. */
import type { RecordedSeries } from '../records/series.ts';
import type { TrialRecord } from '../records/trial.ts';
import { type SampledMemory, sampledMemory } from './sampled-memory.ts';
import { type TimelineCorrelation, timelineCorrelations } from './timeline-correlation.ts';

export interface SeriesFigures {
  readonly sampledMemory: SampledMemory | { readonly reason: string };
  readonly timeline: readonly TimelineCorrelation[];
}

/** `device` is the plan's: index, UUID or null for the first. `series` is null where the trial has no file. */
export function seriesFigures(
  record: TrialRecord,
  series: RecordedSeries | null,
  device: string | null,
): SeriesFigures {
  return {
    sampledMemory: sampledMemory(record, series, device),
    timeline: timelineCorrelations(record, series, device),
  };
}

/** Figures of a trial's attempt; null where its file is not there. */
export type SeriesFiguresOf = (record: TrialRecord) => SeriesFigures | null;
