/** Readers of option values: text from the command line to typed quantities, refused in commander's way. */
import { InvalidArgumentError } from 'commander';
import { messageOf } from '../core/errors.ts';
import { type Nanoseconds, parseDuration } from '../core/units.ts';

/** A duration with its unit, 0 or longer: "0s", "500ms". */
export function durationValue(text: string): Nanoseconds {
  try {
    return parseDuration(text);
  } catch (thrown) {
    throw new InvalidArgumentError(`${messageOf(thrown)}.`);
  }
}

/** A duration with its unit, longer than 0. */
export function positiveDurationValue(text: string): Nanoseconds {
  const value = durationValue(text);
  if (value <= 0) throw new InvalidArgumentError('It must be longer than 0.');
  return value;
}

/** A reader of whole numbers from `least` to `most`. */
export function wholeNumberValue(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

/** For options that may be repeated. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
