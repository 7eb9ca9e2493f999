/** Facts of both sides laid beside each other: what they do not share, and whether that matters. */
import type { ComparisonFact, ComparisonMetric } from './comparison-model.ts';

/** One side's facts by name; null = not known. */
export type Facts = ReadonlyMap<string, string | null>;

const unknown = 'not known';

/**
 * Those that differ, in the order of the base's. `isNoted` tells the ones that do not stand against a comparison.
 * What neither side knows is no difference; what one side knows and the other does not is one.
 */
export function differingFacts(base: Facts, candidate: Facts, isNoted: (fact: string) => boolean): ComparisonFact[] {
  const names = [...new Set([...base.keys(), ...candidate.keys()])];
  return names.flatMap((fact) => {
    const sides = { base: base.get(fact) ?? unknown, candidate: candidate.get(fact) ?? unknown };
    return sides.base === sides.candidate ? [] : [{ fact, ...sides, matters: !isNoted(fact) }];
  });
}

/** Leaves of a plain value by their path: "server.model" -> "bert-base". Text as it is, everything else as JSON. */
export function leavesOf(name: string, value: unknown): (readonly [fact: string, value: string | null])[] {
  if (value === undefined || value === null) return [[name, null]];
  if (typeof value === 'string') return [[name, value]];
  if (typeof value !== 'object' || Array.isArray(value)) return [[name, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(`${name}.${key}`, inner));
}

/** The distinct values in one line, in their order; null without any. */
export function distinctText(values: readonly string[]): string | null {
  return values.length === 0 ? null : [...new Set(values)].join(', ');
}

export interface ComparisonSettings {
  /** Left out: throughput of a closed loop, p99 where the rate was given. */
  readonly metric?: ComparisonMetric | undefined;
  /** Left out: that of the base's plan. */
  readonly thresholdRatio?: number | undefined;
  /** Facts that may differ though they matter; 'all' = any. */
  readonly allowed: readonly string[] | 'all';
}

/** What is said where nothing is compared: facts that matter and are not allowed to differ. Null = none stands against it. */
export function refusal(facts: readonly ComparisonFact[], { allowed }: ComparisonSettings): string | null {
  if (allowed === 'all') return null;
  // "server" allows all below it, such as "server.model".
  const passes = (fact: string): boolean => allowed.some((name) => fact === name || fact.startsWith(`${name}.`));
  const standing = facts.filter(({ fact, matters }) => matters && !passes(fact));
  const names = standing.map(({ fact }) => fact).join(', ');
  return standing.length === 0 ? null : `${names} ${standing.length === 1 ? 'stands' : 'stand'} against it`;
}
