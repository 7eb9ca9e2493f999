/** What a paired comparison of so many blocks can see, before it is run (method R23). Exact: noncentral t. Pure. */
import { studentTQuantile } from './student-t.ts';

/** Half-width of the t interval of the mean of `pairs` differences, in units of their standard deviation. */
export function halfWidthInSd(pairs: number, confidenceLevel = 0.95): number {
  return studentTQuantile((1 + confidenceLevel) / 2, pairs - 1) / Math.sqrt(pairs);
}

/**
 * The mean difference, in units of the standard deviation of the differences, that a two-sided paired t test at `alpha`
 * finds with that power. Throws RangeError below two pairs.
 */
export function detectableEffectInSd(pairs: number, power = 0.8, alpha = 0.05): number {
  if (!Number.isInteger(pairs) || pairs < 2) throw new RangeError(`no comparison of ${pairs} pairs`);
  let low = 0;
  let high = 1;
  while (pairedPower(pairs, high, alpha) < power) high *= 2;
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (pairedPower(pairs, middle, alpha) < power) low = middle;
    else high = middle;
  }
  return high;
}

/** Chance that the test rejects equality where the mean difference is so many standard deviations. */
export function pairedPower(pairs: number, effectInSd: number, alpha = 0.05): number {
  const degrees = pairs - 1;
  const critical = studentTQuantile(1 - alpha / 2, degrees);
  const shift = effectInSd * Math.sqrt(pairs);
  // t = (Z + shift) / s with s = sqrt(chi2 / degrees): over the density of s, by Simpson's rule.
  const [from, to, steps] = [0, 1 + 12 / Math.sqrt(degrees), 4000];
  const width = (to - from) / steps;
  let sum = 0;
  for (let step = 0; step <= steps; step++) {
    const s = from + step * width;
    const rejects = normalProbability(shift - critical * s) + normalProbability(-critical * s - shift);
    sum += (step === 0 || step === steps ? 1 : step % 2 === 1 ? 4 : 2) * scaleDensity(s, degrees) * rejects;
  }
  return (sum * width) / 3;
}

/** Density of sqrt(chi2 / degrees). */
function scaleDensity(s: number, degrees: number): number {
  if (s === 0) return degrees === 1 ? Math.sqrt(2 / Math.PI) : 0;
  const logDensity =
    Math.log(2) +
    (degrees / 2) * Math.log(degrees / 2) -
    logGammaOfHalves(degrees) +
    (degrees - 1) * Math.log(s) -
    (degrees * s * s) / 2;
  return Math.exp(logDensity);
}

/** log gamma(halves / 2), by the recurrence from gamma(1/2) or gamma(1). */
function logGammaOfHalves(halves: number): number {
  let value = halves % 2 === 0 ? 0 : Math.log(Math.PI) / 2;
  for (let at = halves % 2 === 0 ? 2 : 1; at < halves; at += 2) value += Math.log(at / 2);
  return value;
}

/** P(Z <= z), by Marsaglia's series (2004), exact to rounding within 7 standard deviations. */
export function normalProbability(z: number): number {
  if (z < -8) return 0;
  if (z > 8) return 1;
  let sum = z;
  let term = z;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}
