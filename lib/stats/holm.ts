/** Several tests at once: p values for the whole family (Holm 1979). */

/**
 * Step-down adjusted p of each test, in the order given: rejecting those at or below alpha keeps the chance of any false
 * rejection in the family at alpha or less, whatever depends on what. Never below the p itself, never above 1.
 */
export function holmAdjusted(ps: readonly number[]): number[] {
  const order = ps.map((_, index) => index).sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const adjusted = ps.map(() => 1);
  let largest = 0;
  for (const [step, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (ps.length - step) * (ps[index] as number)));
    adjusted[index] = largest;
  }
  return adjusted;
}
