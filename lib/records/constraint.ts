/** Conditions that a configuration must meet to be recommended: "p99 < 50ms", "memory < 20GiB", "errors < 0.1%". */
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { parseBytes, parseDuration } from '../core/units.ts';

export const constraintFigures = ['p50', 'p90', 'p99', 'throughput', 'memory', 'errors'] as const;
export type ConstraintFigure = (typeof constraintFigures)[number];

export const constraintOperators = ['<', '<=', '>', '>='] as const;
export type ConstraintOperator = (typeof constraintOperators)[number];

export interface Constraint {
  /** As it was written, blanks made even. */
  readonly text: string;
  readonly figure: ConstraintFigure;
  readonly operator: ConstraintOperator;
  /** ns of a percentile, bytes of memory, requests per second of throughput, share (0-1) of errors. */
  readonly limit: number;
}

const form = /^\s*([A-Za-z0-9.]+)\s*(<=|>=|<|>)\s*(\S.*?)\s*$/;

/** Reads one condition. Throws RangeError that names the part that is wrong and what would be right. */
export function parseConstraint(text: string): Constraint {
  const match = form.exec(text);
  if (!match) throw new RangeError(`'${text}' is no condition; write figure, < or >, and limit, such as 'p99 < 50ms'`);
  const [, name = '', sign = '', limitText = ''] = match;
  const figure = constraintFigures.find((candidate) => candidate === name);
  if (figure === undefined) {
    const near = closest(name, [...constraintFigures]);
    throw new RangeError(`'${name}' is no figure; did you mean '${near}'? (${constraintFigures.join(', ')})`);
  }
  const operator = constraintOperators.find((candidate) => candidate === sign) ?? '<';
  const wantsMore = operator.startsWith('>');
  if (wantsMore !== (figure === 'throughput')) {
    throw new RangeError(`'${name} ${sign}' asks for the worse; write '${name} ${wantsMore ? '<' : '>'} ${limitText}'`);
  }
  return { text: `${figure} ${operator} ${limitText}`, figure, operator, limit: limitOf(figure, limitText) };
}

/** Whether a value in the unit of the limit meets the condition. */
export function meets(value: number, { operator, limit }: Pick<Constraint, 'operator' | 'limit'>): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
  }
}

/** In a plan it stays text, so that a plan that is written out reads as it was written. */
export const constraintValue = z.string({ error: "needs text, such as 'p99 < 50ms'" }).transform((text, context) => {
  try {
    return parseConstraint(text).text;
  } catch (thrown) {
    context.addIssue({ code: 'custom', message: messageOf(thrown) });
    return z.NEVER;
  }
});

function limitOf(figure: ConstraintFigure, text: string): number {
  switch (figure) {
    case 'memory':
      return limitBy(figure, text, parseBytes);
    case 'throughput':
      return numberOf(figure, text, '1000', text);
    case 'errors':
      return errorShare(text);
    default:
      return limitBy(figure, text, parseDuration);
  }
}

function limitBy(figure: ConstraintFigure, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (thrown) {
    throw new RangeError(`limit of ${figure}: ${messageOf(thrown)}`);
  }
}

function errorShare(text: string): number {
  if (!text.endsWith('%')) throw new RangeError(`limit of errors: '${text}' needs a share in percent, such as 0.1%`);
  const percent = numberOf('errors', text.slice(0, -1).trimEnd(), '0.1%', text);
  if (percent > 100) throw new RangeError(`limit of errors: '${text}' is more than all requests`);
  return percent / 100;
}

function numberOf(figure: ConstraintFigure, digits: string, example: string, text: string): number {
  if (/^\d+(\.\d+)?$/.test(digits) && Number.isFinite(Number(digits))) return Number(digits);
  throw new RangeError(`limit of ${figure}: '${text}' is no number, such as ${example}`);
}
