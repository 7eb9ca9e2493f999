/** The part of `load` that asks whether the generator was the limit: its options, the calibration, and what is told of it. */
import { type Command, InvalidArgumentError } from 'commander';
import { usableCpus } from '../core/cpu-affinity.ts';
import { parseCpuList } from '../core/cpu-list.ts';
import { messageOf } from '../core/errors.ts';
import { formatRate, seconds } from '../core/units.ts';
import type { EngineWish } from '../load/choose-engine.ts';
import type { Headroom } from '../records/headroom.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import type { ClientPlacement } from '../records/placement.ts';
import type { CliContext } from './context.ts';

/** A calibration takes up to 1.5 s: a run of this length and longer has it without being asked. */
const calibratedFromNs = seconds(5);

export interface HeadroomOptions {
  readonly clientCpus?: string;
  /** Left out: by the length of the run. */
  readonly calibrate?: boolean;
}

export function addHeadroomOptions(command: Command): Command {
  return command
    .option('--client-cpus <list>', 'CPUs that the generator is kept to, such as 0-3,8', cpuListValue)
    .option('--calibrate', 'ask afterwards what the generator alone reaches (default for runs of 5s and more)')
    .option('--no-calibrate', 'leave that out');
}

export function clientCpusOf({ clientCpus }: HeadroomOptions): EngineWish['cpus'] {
  return clientCpus === undefined ? null : parseCpuList(clientCpus);
}

/** What a text report says of both, beside the generator. */
export function headroomRows(
  headroom: Headroom | null,
  placement: ClientPlacement | null,
): (readonly [label: string, text: string])[] {
  return [
    ...(placement === null ? [] : [['', placementText(placement)] as const]),
    ...(headroom === null ? [] : [['headroom', headroomText(headroom)] as const]),
  ];
}

/** Null where nobody asked for it, or there is nothing to compare with. */
export async function measuredHeadroom(
  context: CliContext,
  spec: LoadSpec,
  { summary }: LoadResult,
  wish: EngineWish,
  options: HeadroomOptions,
): Promise<Headroom | null> {
  const wanted = options.calibrate ?? summary.measurement.durationNs >= calibratedFromNs;
  if (!wanted || summary.measurement.outcomes.ok === 0) return null;
  // After the run: most runs end without, and it would keep the first request waiting.
  const [{ calibrate }, { HeadroomMeter }] = await Promise.all([
    import('../load/calibration.ts'),
    import('../load/headroom.ts'),
  ]);
  const { signal, emergency } = context;
  const meter = new HeadroomMeter(
    (asked, subject, measuredNs) => calibrate(asked, subject, measuredNs, { signal, emergency, wish }),
    options.clientCpus ?? null,
  );
  return meter.of(spec, summary);
}

function headroomText({ ratio, calibration, unavailable }: Headroom): string {
  if (ratio === null || calibration === null) return `unknown: ${unavailable?.message ?? 'no calibration'}`;
  return `${ratio.toFixed(1)}x: the generator alone reaches ${formatRate(calibration.ceilingPerSecond)} (null server, same requests)`;
}

function placementText({ asked, threads }: ClientPlacement): string {
  return `kept to CPU ${asked}, read back: ${threads?.join(' and ') ?? 'not known'}`;
}

function cpuListValue(text: string): string {
  try {
    usableCpus(text);
  } catch (thrown) {
    throw new InvalidArgumentError(`${messageOf(thrown)}.`);
  }
  return text;
}
