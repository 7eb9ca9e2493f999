/** The forms of --rate: one rate, several in steps, a ramp. */
import { InvalidArgumentError } from 'commander';
import { mostSteps } from '../records/arrivals.ts';

/** Requests per second. */
export type RequestedRate =
  | { readonly kind: 'one'; readonly perSecond: number }
  | { readonly kind: 'steps'; readonly perSecond: readonly number[] }
  | { readonly kind: 'ramp'; readonly fromPerSecond: number; readonly toPerSecond: number };

/** For the help. */
export const rateForms = 'one rate (200), at several in steps (100,200,400) or along a ramp (100..1000)';

/** Throws what commander turns into a usage error. */
export function parseRateOrAuto(text: string): RequestedRate | 'auto' {
  return text === 'auto' ? 'auto' : parseRate(text);
}

function parseRate(text: string): RequestedRate {
  const ends = text.split('..');
  if (ends.length === 2) return ramp(text, ends[0] as string, ends[1] as string);
  const rates = text.split(',').map((part) => rateAbove0(text, part.trim()));
  if (rates.length > mostSteps)
    throw new InvalidArgumentError(`There are ${rates.length} steps; give at most ${mostSteps}.`);
  return rates.length === 1 ? { kind: 'one', perSecond: rates[0] as number } : { kind: 'steps', perSecond: rates };
}

/** A ramp may begin or end with no request at all. */
function ramp(text: string, from: string, to: string): RequestedRate {
  const fromPerSecond = plainNumber(from.trim());
  const toPerSecond = plainNumber(to.trim());
  if (fromPerSecond === null || toPerSecond === null || fromPerSecond + toPerSecond === 0) throw notARate(text, text);
  return { kind: 'ramp', fromPerSecond, toPerSecond };
}

function rateAbove0(text: string, part: string): number {
  const value = plainNumber(part);
  if (value === null || value === 0) throw notARate(text, part);
  return value;
}

function plainNumber(text: string): number | null {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

function notARate(text: string, part: string): InvalidArgumentError {
  const where = part === text ? '' : ` in '${text}'`;
  return new InvalidArgumentError(`'${part}'${where} must be requests per second, a number above 0: ${rateForms}.`);
}
