/** What coordinator and load workers tell each other through Redis: keys, forms and times. */
import { z } from 'zod';
import { milliseconds, seconds } from '../core/units.ts';
import { generatorHealthSchema, loadPartSchema, outcomeCountsSchema, phaseSummarySchema } from '../records/load.ts';
import { loadHostSchema } from '../records/load-hosts.ts';

/** BullMQ puts its keys below it; ours stand beside them. */
export const keyPrefix = 'mpsbench';
export const queueName = 'load';
/** Holds the run whose coordinator is alive; its end is the end of that run's shares. */
export const claimKey = `${keyPrefix}:coordinator`;

/** The last run that was posted, while its keys may be there. */
export const lastRunKey = `${keyPrefix}:last-run`;
export const lastRunSchema = z.object({ run: z.string(), of: z.number().int().min(1) });

/** A coordinator that is gone without a word is known to be after so long. */
export const claimLifeNs = seconds(6);
export const claimRenewalNs = seconds(1);
/** A worker tells that it is there so often; after `lostAfterNs` without, it counts as lost. */
export const beatNs = milliseconds(500);
export const lostAfterNs = seconds(6);
/** What a run left behind where nobody could clean up goes by itself. */
export const leftoverLifeMs = 3_600_000;

/** Of one run. */
export interface RunKeys {
  readonly spec: string;
  readonly start: string;
  readonly reports: string;
  readonly result: (index: number) => string;
}

/** All keys of a run with so many shares. */
export function allRunKeys(run: string, of: number): string[] {
  const { spec, start, reports, result } = runKeys(run);
  return [spec, start, reports, ...Array.from({ length: of }, (_, index) => result(index))];
}

export function runKeys(run: string): RunKeys {
  const base = `${keyPrefix}:run:${run}`;
  return {
    spec: `${base}:spec`,
    start: `${base}:start`,
    reports: `${base}:reports`,
    result: (index) => `${base}:result:${index}`,
  };
}

export const claimSchema = z.object({ run: z.string(), name: z.string() });

/** The job of one worker. */
export const taskSchema = z.object({
  /** Of the package: another one may understand the rest differently. */
  version: z.string(),
  run: z.string(),
  index: z.number().int().nonnegative(),
  of: z.number().int().min(1),
  engine: z.enum(['auto', 'native', 'undici']),
  threads: z.number().int().min(1),
});
export type Task = z.infer<typeof taskSchema>;

const count = z.number().int().nonnegative();

/** What a worker says of itself, twice a second. */
export const reportSchema = z.object({
  name: z.string(),
  hostname: z.string(),
  state: z.enum(['ready', 'running', 'done', 'failed']),
  /** Grows with every report. */
  beat: count,
  ok: count,
  errors: count,
  /** Of a share that failed. */
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type Report = z.infer<typeof reportSchema>;

const latencyCounts = z.object({ valuesNs: z.array(z.number()), counts: z.array(z.number()) });

const phaseLedgerSchema = phaseSummarySchema
  .pick({
    phase: true,
    startOffsetNs: true,
    durationNs: true,
    outcomes: true,
    statuses: true,
    requestBytes: true,
    responseBytes: true,
  })
  .extend({
    lateSends: count,
    okEnded: count,
    responseTimes: latencyCounts,
    serviceTimes: latencyCounts,
    latenesses: latencyCounts,
  });

const ledgerSchema = z.object({
  startedNs: z.number(),
  warmup: phaseLedgerSchema.nullable(),
  measurement: phaseLedgerSchema,
  parts: z.array(
    loadPartSchema.pick({ lateSends: true }).extend({
      outcomes: outcomeCountsSchema,
      okEnded: count,
      responseTimes: latencyCounts,
    }),
  ),
  series: z.object({
    untilNs: z.number(),
    intervals: z.array(z.object({ ok: count, errors: count, areaNs: z.number(), responseTimes: latencyCounts })),
  }),
  finishedInWindow: count,
  generator: generatorHealthSchema,
  errorSamples: z.record(z.string(), z.array(z.string())),
});

/** What a share leaves behind. */
export const resultSchema = z.object({ host: loadHostSchema, ledger: ledgerSchema });
