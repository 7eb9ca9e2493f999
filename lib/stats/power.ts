/** Planning: what a number of pairs can see, in units of the standard deviation of the pairs' differences. */
import { noncentralTProbability } from './noncentral-t.ts';
import { solveRising } from './special-functions.ts';
import { studentTUpperQuantile } from './student-t.ts';

/** Half-width of the two-sided t interval of the mean difference, in sd. `pairs` at least 2. */
export function intervalHalfWidth(pairs: number, confidenceLevel = 0.95): number {
  return studentTUpperQuantile((1 - confidenceLevel) / 2, pairs - 1) / Math.sqrt(pairs);
}

/** The effect, in sd, that a two-sided test at `alpha` finds with this power. `pairs` at least 2. */
export function effectSeen(pairs: number, alpha = 0.05, power = 0.8): number {
  const critical = studentTUpperQuantile(alpha / 2, pairs - 1);
  const found = (effect: number): number => {
    const shift = effect * Math.sqrt(pairs);
    return 1 - noncentralTProbability(critical, pairs - 1, shift) + noncentralTProbability(-critical, pairs - 1, shift);
  };
  let upper = 1;
  while (found(upper) < power) upper *= 2;
  return solveRising(found, power, 0, upper);
}

/** Power of a one-sided test at `alpha` of a mean that lies `distance` sd beyond its margin. */
export function oneSidedPower(pairs: number, distance: number, alpha: number): number {
  const critical = studentTUpperQuantile(alpha, pairs - 1);
  return 1 - noncentralTProbability(critical, pairs - 1, distance * Math.sqrt(pairs));
}

/** Fewest pairs, from `fewest` up to `most`, at which a power that grows with them is reached; null if none does. */
export function pairsForPower(
  powerAt: (pairs: number) => number,
  power: number,
  fewest: number,
  most: number,
): number | null {
  if (powerAt(most) < power) return null;
  let [open, reached] = [fewest - 1, most];
  while (reached - open > 1) {
    const middle = Math.floor((open + reached) / 2);
    if (powerAt(middle) >= power) reached = middle;
    else open = middle;
  }
  return reached;
}
