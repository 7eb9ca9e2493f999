/** Figures of what stands beside the comparisons: the noise floor, the confirmation, and effects without the clock gate. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { counted } from '../core/units.ts';
import { type RatioLine, ratioFigure } from './ratio-figure.ts';

type Drawing = ReturnType<typeof ratioFigure>;

function limitsText(thresholdRatio: number): string {
  return `Dashed: the threshold of ${Number((thresholdRatio * 100).toFixed(3))} % either way`;
}

/** Null without second runs of the first arm. */
export function noiseFigure({ noiseFloor, thresholdRatio }: StudySummary): Drawing {
  if (!noiseFloor) return null;
  const { cells, falseDifferences } = noiseFloor;
  return ratioFigure({
    title: 'Noise floor: the first arm against itself',
    subtitle:
      `Second over first run of one and the same configuration, throughput, with its 95 % interval; ` +
      `${falseDifferences} of ${counted(cells.length, 'interval')} exclude 1, where none should.\n` +
      `${limitsText(thresholdRatio)}.`,
    axis: 'throughput, second run over first',
    kinds: ['second over first run'],
    lines: cells.map(({ cellId, ratio }) => ({ label: cellId, ratio, kind: 0 })),
    thresholdRatio,
  });
}

/** Null where nothing was confirmed, and without a runner-up to compare with. */
export function confirmationFigure({ confirmation, recommendation, thresholdRatio }: StudySummary): Drawing {
  if (!confirmation || confirmation.outcome === 'not-run' || !recommendation?.runnerUpId) return null;
  const label = `${recommendation.cellId} over ${recommendation.runnerUpId}`;
  const chosen = recommendation.overRunnerUp?.throughput ?? null;
  return ratioFigure({
    title: `Confirmation: the choice is ${confirmation.outcome}`,
    subtitle: `${label}: throughput, with its 95 % interval. ${limitsText(thresholdRatio)}.`,
    axis: 'throughput, recommended over runner-up',
    kinds: ['trials that it was chosen by', 'fresh trials'],
    lines: [
      { label: 'as chosen', ratio: chosen, kind: 0 },
      { label: 'fresh', ratio: confirmation.overRunnerUp?.throughput ?? null, kind: 1 },
    ],
    thresholdRatio,
  });
}

/** Null where the clock gate took as much from either side of every comparison. */
export function ungatedFigure({ ungated = [], thresholdRatio }: StudySummary): Drawing {
  return ratioFigure({
    title: 'With and without the clock gate',
    subtitle:
      'Throughput over off at the same workers and batch size, with its 95 % interval, where the gate took more attempts ' +
      `from one side.\n${limitsText(thresholdRatio)}.`,
    axis: 'throughput, ratio to off',
    kinds: ['without throttled attempts, as reported', 'with them'],
    lines: ungated.flatMap(({ cellId, gated, ungated: open }): RatioLine[] => [
      { label: cellId, ratio: gated, kind: 0 },
      { label: `${cellId}, throttled too`, ratio: open, kind: 1 },
    ]),
    thresholdRatio,
  });
}
