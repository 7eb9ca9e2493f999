/** A straight line through points by ordinary least squares, with the t intervals of its slope and intercept. */
import { studentTQuantile } from './student-t.ts';
import { mean } from './summary.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** In the unit of y (the intercept) or of y per x (the slope). Errors and interval are null for two points only. */
export interface LineParameter {
  readonly value: number;
  readonly standardError: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

export interface LinearFit {
  readonly points: number;
  /** Points less the two parameters. */
  readonly degreesOfFreedom: number;
  readonly slope: LineParameter;
  readonly intercept: LineParameter;
  /** Of the residuals, with `degreesOfFreedom`; null for two points only. */
  readonly residualSd: number | null;
}

/**
 * Null where no line is determined: fewer than two different x. `confidenceLevel` is above 0 and below 1. Throws
 * RangeError on a coordinate that is not finite: unknown values are left out before.
 */
export function linearFit(points: readonly Point[], confidenceLevel = 0.95): LinearFit | null {
  const wrong = points.find(({ x, y }) => !Number.isFinite(x) || !Number.isFinite(y));
  if (wrong !== undefined) throw new RangeError(`not a point to fit: (${wrong.x}, ${wrong.y})`);
  if (points.length === 0) return null;
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const squaresX = sum(points.map(({ x }) => (x - meanX) ** 2));
  if (squaresX === 0) return null;
  const slope = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / squaresX;
  const intercept = meanY - slope * meanX;
  const degreesOfFreedom = points.length - 2;
  const residuals = sum(points.map(({ x, y }) => (y - intercept - slope * x) ** 2));
  const residualSd = degreesOfFreedom > 0 ? Math.sqrt(residuals / degreesOfFreedom) : null;
  const t = degreesOfFreedom > 0 ? studentTQuantile((1 + confidenceLevel) / 2, degreesOfFreedom) : 0;
  const parameter = (value: number, spread: number): LineParameter => {
    if (residualSd === null) return { value, standardError: null, lower: null, upper: null };
    const standardError = residualSd * Math.sqrt(spread);
    return { value, standardError, lower: value - t * standardError, upper: value + t * standardError };
  };
  return {
    points: points.length,
    degreesOfFreedom,
    slope: parameter(slope, 1 / squaresX),
    intercept: parameter(intercept, 1 / points.length + meanX ** 2 / squaresX),
    residualSd,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * A parameter of the first line less that of the second, from samples that are independent of each other and of unequal
 * spread: t interval with the degrees of freedom of Welch and Satterthwaite. No interval where either line has none.
 */
export function parameterDifference(
  first: LinearFit,
  second: LinearFit,
  parameter: 'slope' | 'intercept',
  confidenceLevel = 0.95,
): LineParameter {
  const [a, b] = [first[parameter], second[parameter]];
  const value = a.value - b.value;
  if (a.standardError === null || b.standardError === null) {
    return { value, standardError: null, lower: null, upper: null };
  }
  const [squareA, squareB] = [a.standardError ** 2, b.standardError ** 2];
  const standardError = Math.sqrt(squareA + squareB);
  if (standardError === 0) return { value, standardError, lower: value, upper: value };
  const freedom =
    (squareA + squareB) ** 2 / (squareA ** 2 / first.degreesOfFreedom + squareB ** 2 / second.degreesOfFreedom);
  const reach = studentTQuantile((1 + confidenceLevel) / 2, freedom) * standardError;
  return { value, standardError, lower: value - reach, upper: value + reach };
}
