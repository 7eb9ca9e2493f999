/** The noncentral t distribution: how a t statistic falls where there is an effect, which is what power is made of. */
import { incompleteBeta, logGamma, normalProbability } from './special-functions.ts';

/** Terms below this share of the sum's weight are left out. */
const smallestWeight = 1e-17;

/**
 * P(T <= t) for t = (Z + noncentrality) / sqrt(chi2 / degreesOfFreedom), to about 1e-12 absolute: the Poisson-weighted
 * sum of incomplete betas of Lenth (1989, AS 243), summed outwards from its largest weight so that none underflows.
 */
export function noncentralTProbability(t: number, degreesOfFreedom: number, noncentrality: number): number {
  if (t < 0) return 1 - noncentralTProbability(-t, degreesOfFreedom, -noncentrality);
  const x = (t * t) / (t * t + degreesOfFreedom);
  const lambda = (noncentrality * noncentrality) / 2;
  const half = degreesOfFreedom / 2;
  const below = normalProbability(-noncentrality);
  if (lambda === 0) return below + 0.5 * incompleteBeta(x, 0.5, half);
  const sign = Math.sign(noncentrality);
  const term = (j: number): { readonly weight: number; readonly value: number } => {
    const even = Math.exp(j * Math.log(lambda) - lambda - logGamma(j + 1));
    const odd = Math.exp((j + 0.5) * Math.log(lambda) - lambda - logGamma(j + 1.5));
    const value = even * incompleteBeta(x, j + 0.5, half) + sign * odd * incompleteBeta(x, j + 1, half);
    return { weight: even + odd, value };
  };
  let sum = 0;
  const mode = Math.floor(lambda);
  for (let j = mode; j >= 0; j--) {
    const { weight, value } = term(j);
    sum += value;
    if (weight < smallestWeight) break;
  }
  for (let j = mode + 1; ; j++) {
    const { weight, value } = term(j);
    sum += value;
    if (weight < smallestWeight) break;
  }
  return Math.min(1, Math.max(0, below + sum / 2));
}
