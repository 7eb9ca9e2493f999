/** Student's t distribution: probability and quantile, by the regularised incomplete beta function. */
import { incompleteBeta, solveRising } from './special-functions.ts';

/** P(T <= t) with the given degrees of freedom (above 0, need not be whole). */
export function studentTProbability(t: number, degreesOfFreedom: number): number {
  if (!(degreesOfFreedom > 0)) throw new RangeError(`not a number of degrees of freedom: ${degreesOfFreedom}`);
  const tail = 0.5 * incompleteBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** The t with P(T <= t) = probability, to about 1e-12 of its size. Throws RangeError outside (0, 1). */
export function studentTQuantile(probability: number, degreesOfFreedom: number): number {
  if (!(probability > 0 && probability < 1)) throw new RangeError(`not a probability in (0, 1): ${probability}`);
  if (probability === 0.5) return 0;
  if (probability > 0.5) return studentTUpperQuantile(1 - probability, degreesOfFreedom);
  return -studentTUpperQuantile(probability, degreesOfFreedom);
}

/** The t > 0 with P(T > t) = tail, of any size down to 1e-300: 1 - tail would lose it. `tail` in (0, 0.5]. */
export function studentTUpperQuantile(tail: number, degreesOfFreedom: number): number {
  const within = (t: number): number => -studentTProbability(-t, degreesOfFreedom);
  let upper = 1;
  while (within(upper) < -tail) upper *= 2;
  return solveRising(within, -tail, 0, upper);
}
