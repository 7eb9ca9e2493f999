/** The warm-up of a plan: a fixed time, or until the load is steady, within bounds. */
import { z } from 'zod';
import { type Nanoseconds, ns, parseDuration, seconds } from '../core/units.ts';
import { exactDuration } from './plan-values.ts';
import type { SteadyWarmup } from './steadiness.ts';

/** Method R9 and its default recipe. */
const usualBounds: SteadyWarmup = { minNs: seconds(10), maxNs: seconds(120) };

const durationPattern = '\\s*\\d+(\\.\\d+)?\\s*(ns|us|ms|s|m|h)\\s*';
/** For the published JSON Schema alone. */
const warmupText = {
  description: 'time with its unit, auto, or auto:min..max with times',
  pattern: `^(${durationPattern}|auto(:${durationPattern}\\.\\.${durationPattern})?)$`,
};

/** Fixed, or the bounds within which it ends by itself. */
export type Warmup = Nanoseconds | SteadyWarmup;

export const warmupValue = z
  .string({ error: 'needs text with a unit, such as 30s, or auto' })
  .meta(warmupText)
  .transform((text, context): Warmup => {
    try {
      return parseWarmup(text.trim());
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      context.addIssue({ code: 'custom', message: thrown.message });
      return z.NEVER;
    }
  });

function parseWarmup(text: string): Warmup {
  if (!text.startsWith('auto')) return parseDuration(text);
  if (text === 'auto') return usualBounds;
  const [min, max, ...rest] = text.startsWith('auto:') ? text.slice('auto:'.length).split('..') : [];
  if (min === undefined || max === undefined || rest.length > 0) {
    throw new RangeError(`'${text}' is no warm-up; write a time such as 5s, auto, or auto:10s..120s`);
  }
  const bounds = { minNs: parseDuration(min), maxNs: parseDuration(max) };
  if (bounds.maxNs === 0 || bounds.minNs > bounds.maxNs) {
    throw new RangeError(`'${text}' has bounds in the wrong order: the shortest comes first, the longest is above 0`);
  }
  return bounds;
}

/** The text that is read as that warm-up. */
export function warmupForm(warmup: Warmup): string {
  if (typeof warmup === 'number') return exactDuration(warmup);
  return `auto:${exactDuration(warmup.minNs)}..${exactDuration(warmup.maxNs)}`;
}

/** How long it may last. */
export function longestWarmupNs(warmup: Warmup): Nanoseconds {
  return typeof warmup === 'number' ? warmup : ns(warmup.maxNs);
}
