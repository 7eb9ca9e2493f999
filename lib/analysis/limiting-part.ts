/** Which part of a measurement was at its limit, and what that takes from a comparison of arms. Pure. */
import { z } from 'zod';
import { type Cell, cellId } from '../records/arm.ts';
import { leastHeadroomRatio } from '../records/generator-limits.ts';
import type { TrialRecord } from '../records/trial.ts';
import { median } from '../stats/quantile.ts';

/** Share of what a part has from which it counts as the limit (docs/METHOD.md, "What limits"). */
export const limitRatio = 0.9;

export const limitingPartSchema = z.enum(['generator', 'front-end', 'host-cpu', 'gpu']);
export type LimitingPart = z.infer<typeof limitingPartSchema>;

const figure = z.number().nonnegative().nullable();

/** How near each part of a trial was to its limit; null where it is not known. */
export const trialLimitsSchema = z.object({
  /** CPU seconds per second. */
  frontEndCores: figure,
  /** Of the CPUs that it may use. */
  frontEndRatio: figure,
  /** Of its busiest thread: 1 = it never waited. */
  frontEndThreadRatio: figure,
  workersCores: figure,
  generatorCores: figure,
  /** Of the CPUs that the server may use, or of the control group's quota, whichever is nearer to its limit. */
  hostBusyRatio: figure,
  gpuUtilizationPercent: figure,
  /** Share of the SMs that had work. */
  smActivityPercent: figure,
  /** At their limit; empty = none was seen to be. */
  parts: z.array(limitingPartSchema).readonly(),
});
export type TrialLimits = z.infer<typeof trialLimitsSchema>;

/** Left out where nothing was recorded: no measurement, or an older record. */
export function trialLimits(record: TrialRecord): TrialLimits | undefined {
  const { use, headroom } = record;
  if (use === null) return undefined;
  const { frontEnd, workers, generatorCores } = use;
  const figures = {
    frontEndCores: frontEnd?.cores ?? null,
    frontEndRatio: shareOf(frontEnd?.cores, frontEnd?.allowedCores),
    frontEndThreadRatio: frontEnd?.busiestThreadCores ?? null,
    workersCores: workers?.cores ?? null,
    generatorCores,
    hostBusyRatio: hostBusyRatio(use),
    gpuUtilizationPercent: use.gpu?.utilizationPercent ?? null,
    smActivityPercent: use.gpu?.smActivityPercent ?? null,
  };
  const atLimit: Readonly<Record<LimitingPart, boolean>> = {
    generator: headroom !== null && headroom.ratio !== null && headroom.ratio < leastHeadroomRatio,
    'front-end': frontEndShare(figures) >= limitRatio,
    'host-cpu': (figures.hostBusyRatio ?? 0) >= limitRatio,
    // A kernel may be there all the time and fill few SMs.
    gpu: (figures.smActivityPercent ?? figures.gpuUtilizationPercent ?? 0) >= 100 * limitRatio,
  };
  return { ...figures, parts: limitingPartSchema.options.filter((part) => atLimit[part]) };
}

/** Of several trials: medians, and the parts that were at their limit in most of them. */
export function cellLimits(trials: readonly { readonly limits?: TrialLimits | undefined }[]): TrialLimits | undefined {
  const known = trials.flatMap(({ limits }) => limits ?? []);
  if (known.length === 0) return undefined;
  const middle = (name: Exclude<keyof TrialLimits, 'parts'>): number | null => {
    const values = known.flatMap((limits) => limits[name] ?? []);
    return values.length === 0 ? null : median(values);
  };
  const count = (part: LimitingPart): number => known.filter(({ parts }) => parts.includes(part)).length;
  return {
    frontEndCores: middle('frontEndCores'),
    frontEndRatio: middle('frontEndRatio'),
    frontEndThreadRatio: middle('frontEndThreadRatio'),
    workersCores: middle('workersCores'),
    generatorCores: middle('generatorCores'),
    hostBusyRatio: middle('hostBusyRatio'),
    gpuUtilizationPercent: middle('gpuUtilizationPercent'),
    smActivityPercent: middle('smActivityPercent'),
    parts: limitingPartSchema.options.filter((part) => 2 * count(part) > known.length),
  };
}

/** "front end at 97 % of its CPUs" for each part on the host that is at its limit; empty if none is. */
export function hostLimitText(limits: TrialLimits): string {
  const { parts, frontEndRatio, frontEndThreadRatio, hostBusyRatio } = limits;
  const ofCpus = (frontEndRatio ?? 0) >= limitRatio;
  const texts = [
    ...(parts.includes('front-end')
      ? [
          ofCpus
            ? `front end at ${percent(frontEndRatio)} of its CPUs`
            : `a thread of the front end busy ${percent(frontEndThreadRatio)} of the time`,
        ]
      : []),
    ...(parts.includes('host-cpu') ? [`host CPUs ${percent(hostBusyRatio)} busy`] : []),
  ];
  return texts.join(', ');
}

/** What a verdict must be read with: cells whose limit lay on the host, which MPS does not move. Empty if none. */
export function limitNote(
  cells: readonly { readonly cell: Cell; readonly limits?: TrialLimits | undefined }[],
): string {
  const texts = cells.flatMap(({ cell, limits }) => {
    const text = limits ? hostLimitText(limits) : '';
    return text === '' ? [] : [`${text} in ${cellId(cell)}`];
  });
  return texts.length === 0 ? '' : `; ${texts.join('; ')}: not an effect of MPS alone`;
}

/** One sentence where cells that are compared were at a limit of the host; none otherwise. */
export function limitCautions(
  cells: readonly {
    readonly cellId: string;
    readonly comparison: object | null;
    readonly limits?: TrialLimits | undefined;
  }[],
): string[] {
  if (cells.every(({ comparison }) => comparison === null)) return [];
  const limited = cells.flatMap(({ cellId, limits }) => {
    const text = limits ? hostLimitText(limits) : '';
    return text === '' ? [] : [`${cellId} (${text})`];
  });
  if (limited.length === 0) return [];
  return [`At a limit of the host, so that their comparisons are not of MPS alone: ${limited.join('; ')}.`];
}

function frontEndShare({
  frontEndRatio,
  frontEndThreadRatio,
}: Pick<TrialLimits, 'frontEndRatio' | 'frontEndThreadRatio'>): number {
  return Math.max(frontEndRatio ?? 0, frontEndThreadRatio ?? 0);
}

/** A quota lets CPUs stand idle that nobody may use. */
function hostBusyRatio({ host, frontEnd, workers, generatorCores }: NonNullable<TrialRecord['use']>): number | null {
  const used = [frontEnd?.cores, workers?.cores, generatorCores].reduce<number>((sum, cores) => sum + (cores ?? 0), 0);
  const ofQuota = shareOf(used, host.quotaCores);
  if (host.busyRatio === null || ofQuota === null) return host.busyRatio ?? ofQuota;
  return Math.max(host.busyRatio, ofQuota);
}

function shareOf(cores: number | null | undefined, of: number | null | undefined): number | null {
  return cores == null || of == null ? null : cores / of;
}

function percent(ratio: number | null): string {
  return `${Math.round((ratio ?? 0) * 100)} %`;
}
