/** Physical quantities: one table per kind of quantity drives both parsing and printing. */

/** A time span or offset in integer nanoseconds. Exact below 2^53 ns (104 days). */
export type Nanoseconds = number & { readonly __unit: 'ns' };
/** An amount of memory or payload in integer bytes. */
export type Bytes = number & { readonly __unit: 'byte' };

interface Unit {
  readonly suffix: string;
  readonly factor: number;
}

const durationUnits: readonly Unit[] = [
  { suffix: 'ns', factor: 1 },
  { suffix: 'us', factor: 1e3 },
  { suffix: 'ms', factor: 1e6 },
  { suffix: 's', factor: 1e9 },
  { suffix: 'm', factor: 60e9 },
  { suffix: 'h', factor: 3600e9 },
];

const byteUnits: readonly Unit[] = [
  { suffix: 'B', factor: 1 },
  { suffix: 'KiB', factor: 1024 },
  { suffix: 'MiB', factor: 1024 ** 2 },
  { suffix: 'GiB', factor: 1024 ** 3 },
  { suffix: 'TiB', factor: 1024 ** 4 },
];

/** Brands a number as nanoseconds, rounded to an integer. Throws RangeError if it is not finite. */
export function ns(value: number): Nanoseconds {
  if (!Number.isFinite(value)) throw new RangeError(`not a time in nanoseconds: ${value}`);
  return Math.round(value) as Nanoseconds;
}

/** Brands a number as bytes. Throws RangeError if it is not a non-negative safe integer. */
export function bytes(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an amount of memory in bytes: ${value}`);
  return value as Bytes;
}

export const seconds = (value: number): Nanoseconds => ns(value * 1e9);
export const milliseconds = (value: number): Nanoseconds => ns(value * 1e6);
export const toSeconds = (value: Nanoseconds): number => value / 1e9;
export const toMilliseconds = (value: Nanoseconds): number => value / 1e6;

function parse(text: string, units: readonly Unit[], example: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  const unit = units.find((candidate) => candidate.suffix === match?.[2]);
  if (!match || !unit) {
    const names = units.map((candidate) => candidate.suffix).join(', ');
    throw new RangeError(`'${text}' needs a number with a unit (${names}), such as ${example}`);
  }
  return Number(match[1]) * unit.factor;
}

/** "250ms", "30s", "2m" to nanoseconds. Throws RangeError on a missing or unknown unit, and on a negative number. */
export function parseDuration(text: string): Nanoseconds {
  return ns(parse(text, durationUnits, '30s'));
}

/** "512MiB", "2GiB" to bytes. Throws RangeError on a missing or unknown unit, and on a negative number. */
export function parseBytes(text: string): Bytes {
  return bytes(Math.round(parse(text, byteUnits, '2GiB')));
}

/** Largest unit in which the value is at least one, three significant digits: "1.25 ms", "30.0 s". */
export function formatDuration(value: Nanoseconds): string {
  const units = durationUnits.filter((unit) => unit.suffix !== 'm' && unit.suffix !== 'h');
  // Rounded first, so that 999.9 us reads 1.00 ms and not 1000 us.
  const rounded = Math.abs(value) < 1e12 ? Number(value.toPrecision(3)) : value;
  const unit = [...units].reverse().find((candidate) => Math.abs(rounded) >= candidate.factor) ?? units[0];
  return `${threeDigits(rounded / (unit?.factor ?? 1))} ${unit?.suffix ?? 'ns'}`;
}

/** A span for people who wait: "1 h 05 m", "2 m 10 s", "8 s". */
export function formatSpan(value: Nanoseconds): string {
  const total = Math.max(0, Math.round(value / 1e9));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, '0')} m`;
  if (minutes > 0) return `${minutes} m ${String(total % 60).padStart(2, '0')} s`;
  return `${total} s`;
}

/** Powers of 1024, one decimal: "518.0 MiB". Negative values (differences) keep their sign. */
export function formatBytes(value: number): string {
  const unit = [...byteUnits].reverse().find((candidate) => Math.abs(value) >= candidate.factor) ?? byteUnits[0];
  const scaled = value / (unit?.factor ?? 1);
  return `${unit?.suffix === 'B' ? scaled.toFixed(0) : scaled.toFixed(1)} ${unit?.suffix ?? 'B'}`;
}

/** "1 worker", "1,200 workers": for nouns whose plural is an s. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** "1,234.5 /s". */
export function formatRate(perSecond: number): string {
  return `${grouped(perSecond, 1)} /s`;
}

/**
 * "1,234,567", "0.125": thousands apart; with so many decimal places, or as many as there are, three at most. By hand,
 * since the first number that toLocaleString formats takes 12 ms, which the first request of a load run would wait for.
 */
export function grouped(value: number, decimalPlaces?: number): string {
  const text = decimalPlaces === undefined ? String(Number(value.toFixed(3))) : value.toFixed(decimalPlaces);
  const [whole = '', ...fraction] = text.split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...fraction].join('.');
}

function threeDigits(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return value.toFixed(0);
  if (magnitude >= 10) return value.toFixed(1);
  return value.toFixed(2);
}
