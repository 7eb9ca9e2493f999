/** The values that plans are made of: text with a unit for spans and sizes, whole numbers, lists without repeats. */
import { z } from 'zod';
import { parseCpuList } from '../core/cpu-list.ts';
import { type Nanoseconds, parseBytes, parseDuration } from '../core/units.ts';

/** For the published JSON Schema alone: reading is done by core/units.ts, whose messages say more than a pattern. */
const durationText = { description: 'time with its unit', pattern: '^\\s*\\d+(\\.\\d+)?\\s*(ns|us|ms|s|m|h)\\s*$' };
const sizeText = { description: 'size with its unit', pattern: '^\\s*\\d+(\\.\\d+)?\\s*(B|KiB|MiB|GiB|TiB)\\s*$' };

/** A duration in a plan: text with a unit. In the effective plan it becomes integer nanoseconds. */
export const durationValue = z
  .string({ error: 'needs text with a unit, such as 30s' })
  .meta(durationText)
  .transform((text, context): Nanoseconds => {
    try {
      return parseDuration(text);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: (thrown as RangeError).message });
      return z.NEVER;
    }
  });
export const positiveDurationValue = durationValue.refine((value) => value > 0, 'must be longer than 0');

/** A size in a plan: text with a unit. In the effective plan it becomes bytes. */
export const sizeValue = z
  .string({ error: 'needs text with a unit, such as 2GiB' })
  .meta(sizeText)
  .transform((text, context) => {
    try {
      return parseBytes(text);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: (thrown as RangeError).message });
      return z.NEVER;
    }
  });

/** A list of CPUs such as "0-3,8", kept as text; null = wherever the system puts it. */
export const cpuListValue = z
  .string({ error: 'needs a list of CPUs as text, such as "0-3,8"' })
  .meta({ description: 'CPUs as Linux lists them', pattern: '^\\s*\\d+(-\\d+)?\\s*(,\\s*\\d+(-\\d+)?\\s*)*$' })
  .superRefine((text, context) => {
    try {
      parseCpuList(text);
    } catch (thrown) {
      // Not to be continued: what compares lists takes it that they can be read.
      context.addIssue({ code: 'custom', message: (thrown as RangeError).message, continue: false });
    }
  })
  .nullable()
  .default(null);

export const positiveInteger = z.number().int('must be a whole number').min(1, 'must be at least 1');

/** For the published JSON Schema; `isDistinct` does the checking. */
export const distinctItems = { uniqueItems: true };
export const isDistinct = <T>(items: readonly T[]): boolean => new Set(items).size === items.length;

/** "20ms", "1.5s" would lose nothing but "1500ms" is always an integer of the largest unit that divides it. */
export function exactDuration(valueNs: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['s', 1e9],
    ['ms', 1e6],
    ['us', 1e3],
  ];
  const unit = units.find(([, factor]) => valueNs % factor === 0);
  return unit ? `${valueNs / unit[1]}${unit[0]}` : `${valueNs}ns`;
}
