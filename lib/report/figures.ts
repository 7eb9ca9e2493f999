/** All figures of a report, as SVG text. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { type ChartOption, type ChartSize, renderChart } from './chart-renderer.ts';
import { correlationFigure } from './correlation-figure.ts';
import { confirmationFigure, noiseFigure, ungatedFigure } from './course-figures.ts';
import { memoryFigure } from './memory-figure.ts';
import { paretoFigure } from './pareto-figure.ts';
import { throughputFigure } from './throughput-figure.ts';
import { tradeoffFigure } from './tradeoff-figure.ts';

export interface Figure {
  /** File name without its extension, and prefix of the identifiers in the SVG. */
  readonly name: string;
  /** What it shows, for who cannot see it. */
  readonly description: string;
  readonly svg: string;
}

type Drawing = { readonly option: ChartOption; readonly size: ChartSize } | null;

/** Figures for which the study has no data are left out. */
export function figuresOf(summary: StudySummary): Figure[] {
  const drawings: readonly (readonly [name: string, description: string, drawing: Drawing])[] = [
    ['throughput', 'Throughput by batch size and arm for each number of workers', throughputFigure(summary)],
    ['memory', 'Device memory by arm and number of workers, split by owner', memoryFigure(summary)],
    ['tradeoff', 'Throughput ratio against memory ratio to off', tradeoffFigure(summary)],
    ['pareto', 'Frontier of throughput and device memory, dominated configurations faint', paretoFigure(summary)],
    [
      'correlation',
      'Throughput against device memory, arms of equal workers and batch size joined',
      correlationFigure(summary),
    ],
    [
      'confirmation',
      'Throughput of the recommended configuration over its runner-up, as chosen and in fresh trials',
      confirmationFigure(summary),
    ],
    ['noise-floor', 'Throughput of the first arm against itself, with intervals', noiseFigure(summary)],
    ['ungated', 'Throughput ratio to off with and without the attempts at throttled clocks', ungatedFigure(summary)],
  ];
  return drawings.flatMap(([name, description, drawing]) =>
    drawing === null ? [] : [{ name, description, svg: renderChart(name, drawing.option, drawing.size) }],
  );
}
