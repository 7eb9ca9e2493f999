/** Ratios in words, and the sentences on gates, noise floor and confirmation. */
import { counted } from '../core/units.ts';
import type { PairedRatio } from '../stats/paired.ts';
import type { NoiseFloor } from './noise-floor.ts';
import type { StudySummary } from './summary-model.ts';
import type { Ungated } from './ungated.ts';

/** "1.421x [1.380, 1.465] at 95 %, n=5": three decimals, so that an end beside the threshold is seen on its side. */
export function ratioText(ratio: PairedRatio): string {
  const n = `n=${ratio.pairs}`;
  if (ratio.lowerRatio === null || ratio.upperRatio === null) return `${times(ratio.ratio)}, ${n}, no interval`;
  const level = Number((ratio.confidenceLevel * 100).toFixed(1));
  return `${times(ratio.ratio)} [${ratio.lowerRatio.toFixed(3)}, ${ratio.upperRatio.toFixed(3)}] at ${level} %, ${n}`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(3)}x`;
}

/** The effect without and with the clock gate. */
export function ungatedText({ cellId, throttledHere, throttledThere, gated, ungated }: Ungated): string {
  const text = (ratio: PairedRatio | null): string => (ratio === null ? 'not known' : ratioText(ratio));
  return (
    `Clocks voided ${counted(throttledHere, 'attempt')} of ${cellId} and ${throttledThere} of off: throughput over off ` +
    `is ${text(gated)} without them, ${text(ungated)} with them; throttling may be a part of what the arm does.`
  );
}

/** What equals differ by. */
export function noiseText({ cells, falseDifferences, largestRatio, logSd, pairs }: NoiseFloor): string {
  const spread = logSd === null ? 'not known' : `${((Math.exp(logSd) - 1) * 100).toFixed(1)} %`;
  return (
    `A/A: the first arm against itself differs by ${spread} from block to block (sd, ${counted(pairs, 'pair')}), ` +
    `by up to ${largestRatio === null ? 'an unknown ratio' : times(largestRatio)} in a configuration; ${falseDifferences} of ` +
    `${counted(cells.length, 'interval')} exclude 1, where none should.`
  );
}

/** That figures are those of fresh runs; empty where they are not. */
export function freshText({ confirmation }: Pick<StudySummary, 'confirmation'>): string {
  if (!confirmation || confirmation.outcome === 'not-run') return '';
  const runs = counted(confirmation.cells[0]?.trialsValid ?? 0, 'fresh block');
  return `, and these figures are those of ${runs} run to confirm it`;
}
