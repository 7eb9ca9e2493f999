/** From the runs of `context` to its figures: slope and intercept by arm, per-process memory, creation times, savings. */
import type { ContextCost, ContextReason, ContextRun, SettledMemory } from '../records/context-cost.ts';
import { type LinearFit, type LineParameter, linearFit, parameterDifference } from '../stats/linear-fit.ts';
import { median } from '../stats/quantile.ts';
import { summarize } from '../stats/summary.ts';
import type { BytesInterval, ContextArm, ContextSummary } from './context-cost-model.ts';
import { contextSentences } from './context-sentences.ts';

/** What is told of a run without taking it out of the figures. */
const harmless: ReadonlySet<ContextReason['code']> = new Set(['memory-not-released']);
/** The outcome is itself an answer: so many do not fit. */
const answers: ReadonlySet<ContextReason['code']> = new Set(['client-limit', 'out-of-memory']);

type Limit = Pick<ContextCost['documentedLimit'], 'contexts'>;
interface FittedArm extends Omit<ContextArm, 'againstOff'> {
  readonly fit: LinearFit | null;
}

/** Pure. */
export function summarizeContexts(cost: ContextCost): ContextSummary {
  const fitted = cost.arms.map((arm) => fittedArm(arm, cost.runs));
  const off = fitted.find(({ arm }) => arm === 'off');
  const arms = fitted.map((entry): ContextArm => {
    const { fit: _, ...figures } = entry;
    return { ...figures, againstOff: off && entry !== off ? againstOff(entry, off, cost.documentedLimit) : null };
  });
  return {
    valid: cost.arms.every((arm) => isComplete(arm, cost)),
    arms,
    sentences: contextSentences(arms, cost),
    findings: findingsOf(cost.runs),
  };
}

/** Whether it is in the figures. */
function counts({ reasons }: ContextRun): boolean {
  return reasons.every(({ code }) => harmless.has(code));
}

/** Every number of clients was measured, or is beyond what was refused. */
function isComplete(arm: string, { clientCounts, runs }: ContextCost): boolean {
  const ofArm = runs.filter((run) => run.arm === arm);
  const refused = ofArm.filter(({ reasons }) => reasons.some(({ code }) => answers.has(code)));
  const least = Math.min(...refused.map(({ clientCount }) => clientCount));
  return clientCounts.every(
    (clientCount) => clientCount >= least || ofArm.some((run) => run.clientCount === clientCount && counts(run)),
  );
}

function fittedArm(arm: string, all: readonly ContextRun[]): FittedArm {
  const runs = all.filter((run) => run.arm === arm);
  const counted = runs.filter(counts);
  const clients = counted.flatMap((run) => run.clients);
  const points = counted.flatMap((run) => {
    const y = overBaseline(run.baseline, run.held);
    return y === null ? [] : [{ x: run.clientCount, y }];
  });
  const fit = linearFit(points);
  const clientCounts = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  return {
    ...{ arm, runs: runs.length, countedRuns: counted.length, fit },
    multiprocessorCount: theOne(clients.map(({ multiprocessorCount }) => multiprocessorCount)),
    perClient: fit && interval(fit.slope),
    fixed: fit && interval(fit.intercept),
    points: clientCounts.flatMap((clientCount) => {
      const deviceBytes = spread(points.filter(({ x }) => x === clientCount).map(({ y }) => y));
      return deviceBytes === null ? [] : [{ clientCount, deviceBytes }];
    }),
    processBytes: spread(clients.map(({ processBytes }) => processBytes)),
    mpsServerBytes: spread(counted.flatMap((run) => run.mpsServers.map(({ processBytes }) => processBytes))),
    serverAloneBytes: spread(counted.map((run) => overBaseline(run.baseline, run.serverAlone))),
    ...creationTimes(counted),
  };
}

/** Device used over the baseline, medians of the last readings; null = unknown. */
function overBaseline(baseline: SettledMemory, then: SettledMemory | null): number | null {
  if (then === null || baseline.source !== then.source) return null;
  if (baseline.usedBytes.length === 0 || then.usedBytes.length === 0) return null;
  return median(then.usedBytes) - median(baseline.usedBytes);
}

function creationTimes(runs: readonly ContextRun[]): Pick<ContextArm, 'creationAlone' | 'creationAtOnce'> {
  const timesOf = (clientCount: number) =>
    spread(
      runs
        .filter((run) => run.clientCount === clientCount)
        .flatMap((run) => run.clients.map(({ contextCreationNs }) => contextCreationNs)),
    );
  const most = Math.max(1, ...runs.map(({ clientCount }) => clientCount));
  const ns = most > 1 ? timesOf(most) : null;
  return { creationAlone: timesOf(1), creationAtOnce: ns && { clientCount: most, ns } };
}

function againstOff(entry: FittedArm, off: FittedArm, limit: Limit): NonNullable<ContextArm['againstOff']> {
  const measured = measuredDifference(entry, off);
  const { fit } = entry;
  if (fit === null || off.fit === null) {
    return { perClient: null, fixed: null, saving: 'unknown', breakEvenClients: null, measured };
  }
  const perClient = interval(parameterDifference(fit, off.fit, 'slope'));
  const fixed = interval(parameterDifference(fit, off.fit, 'intercept'));
  return { perClient, fixed, ...savingOf(perClient, fixed, limit), measured };
}

/** In clients: where the lines meet at a whole number, rounding must not decide that it saves there already. */
const rounding = 1e-6;

/** By the two lines; break-even is the least whole number of clients at which the arm's is the lower one. */
function savingOf(perClient: BytesInterval, fixed: BytesInterval, { contexts }: Limit) {
  const { bytes, lowerBytes, upperBytes } = perClient;
  if (lowerBytes === null || upperBytes === null) return { saving: 'unknown', breakEvenClients: null } as const;
  if (lowerBytes <= 0 && upperBytes >= 0) return { saving: 'not-shown', breakEvenClients: null } as const;
  const breakEven = bytes < 0 ? Math.max(1, Math.floor(-fixed.bytes / bytes + rounding) + 1) : null;
  const never = breakEven === null ? fixed.bytes + bytes >= 0 : contexts !== null && breakEven > contexts;
  if (never) return { saving: 'never', breakEvenClients: breakEven } as const;
  return { saving: breakEven === null || breakEven === 1 ? 'always' : 'from', breakEvenClients: breakEven } as const;
}

function measuredDifference(entry: FittedArm, off: FittedArm): { clientCount: number; deviceBytes: number } | null {
  const both = entry.points.flatMap(({ clientCount, deviceBytes }) => {
    const other = off.points.find((point) => point.clientCount === clientCount);
    return other ? [{ clientCount, deviceBytes: deviceBytes.median - other.deviceBytes.median }] : [];
  });
  return both.at(-1) ?? null;
}

function interval({ value, lower, upper }: Pick<LineParameter, 'value' | 'lower' | 'upper'>): BytesInterval {
  return { bytes: value, lowerBytes: lower, upperBytes: upper };
}

function spread(values: readonly (number | null)[]) {
  const summary = summarize(values.filter((value) => value !== null));
  return summary && { count: summary.count, min: summary.min, median: summary.median, max: summary.max };
}

function theOne(values: readonly (number | null)[]): number | null {
  const [first = null, ...others] = new Set(values);
  return others.length === 0 ? first : null;
}

function findingsOf(runs: readonly ContextRun[]): ContextSummary['findings'] {
  const found = new Map<string, ContextSummary['findings'][number]>();
  for (const { arm, reasons } of runs) {
    for (const reason of reasons) {
      const key = `${arm} ${reason.code}`;
      const before = found.get(key);
      if (before) before.runs++;
      else found.set(key, { ...reason, arm, runs: 1, voids: !harmless.has(reason.code) });
    }
  }
  return [...found.values()];
}
