/** The options of `load --rate auto` beside those of every load: what is to be met, and how the search goes. */
import { type Command, InvalidArgumentError } from 'commander';
import { MpsbenchError } from '../core/errors.ts';
import { collect, percentValue, wholeNumberValue } from './option-values.ts';

/** As commander hands them over; what is left out is the search's own choice. */
export interface RateSearchOptionValues {
  readonly slo?: readonly string[];
  readonly rateResolution?: number;
  /** Requests per second. */
  readonly rateMin?: number;
  /** Requests per second. */
  readonly rateMax?: number;
  readonly confirmations?: number;
}

/** Fresh runs of both rates: beyond so many a search would take hours and say no more. */
const mostConfirmations = 15;

export function addRateSearchOptions(command: Command): Command {
  return command
    .option(
      '--slo <condition>',
      "with --rate auto: find the highest rate that meets it, such as 'p99<50ms'; may be repeated",
      collect,
    )
    .option(
      '--rate-resolution <percent>',
      'with --rate auto: between the rate found and the next above (2%)',
      percentValue,
    )
    .option(
      '--rate-min <per-second>',
      'with --rate auto: lowest rate that is tried (an eighth of the first)',
      rateValue,
    )
    .option('--rate-max <per-second>', 'with --rate auto: highest rate that is tried (a million)', rateValue)
    .option(
      '--confirmations <count>',
      'with --rate auto: fresh runs of the rate found and of the next above (3)',
      wholeNumberValue(1, mostConfirmations),
    );
}

/** Throws USAGE for an option of a search beside a load that is none. */
export function refuseSearchOptions(options: RateSearchOptionValues): void {
  if (options.slo !== undefined) {
    throw usage('--slo is what --rate auto searches by: give that, or --fail-if to judge this load');
  }
  const given = [
    options.rateResolution !== undefined && '--rate-resolution',
    options.rateMin !== undefined && '--rate-min',
    options.rateMax !== undefined && '--rate-max',
    options.confirmations !== undefined && '--confirmations',
  ].find((name) => name !== false);
  if (given !== undefined)
    throw usage(`${given} is of a search for the highest rate: give --rate auto, or leave it out`);
}

function rateValue(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be requests per second, a number above 0.');
}

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', message);
}
