/** Readers of option values: text from the command line to typed quantities, refused in commander's way. */
import { InvalidArgumentError } from 'commander';
import { type Nanoseconds, parseDuration } from '../core/units.ts';

/** A duration with its unit, longer than 0: "500ms", "1s". */
export function durationValue(text: string): Nanoseconds {
  const value = worded(() => parseDuration(text));
  if (value <= 0) throw new InvalidArgumentError('It must be longer than 0.');
  return value;
}

/** A whole number from 1 on. */
export function countValue(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1 || !Number.isSafeInteger(Number(text))) {
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  }
  return Number(text);
}

function worded<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new InvalidArgumentError(`${thrown.message}.`);
    throw thrown;
  }
}
