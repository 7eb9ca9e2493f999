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

/** A share between 0 and 1 from "3%" or "2.5 %"; a bare number might be either. */
export function percentValue(text: string): number {
  const percent = /^(\d+(?:\.\d+)?) ?%$/.exec(text)?.[1];
  const value = percent === undefined ? Number.NaN : Number(percent);
  if (value > 0 && value < 100) return value / 100;
  throw new InvalidArgumentError('It must be a percentage between 0 and 100 with its sign, such as 3%.');
}

/** For options that may be repeated. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
