/** Device memory read until it no longer changes: while contexts are being made, figures are those of half a context. */
import { type Clock, poll } from '../core/clock.ts';
import { milliseconds, seconds } from '../core/units.ts';
import type { SettledMemory } from '../records/context-cost.ts';
import type { DeviceReading, GpuSnapshot } from '../records/gpu.ts';

const readingPeriodNs = milliseconds(50);
const readingsKept = 5;
const settleLimitNs = seconds(3);
/** Between the least and the greatest of the readings that are kept. */
const settledWithinBytes = 1024 ** 2;

export interface MemoryReader {
  readonly session: { snapshot(): GpuSnapshot };
  readonly device: { readonly uuid: string };
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SettledReading {
  readonly memory: SettledMemory;
  /** The last of the readings. */
  readonly snapshot: GpuSnapshot;
}

/** Reads five times at least, and for 3 s at most; once where the driver tells no memory. Throws INTERRUPTED, or what the session throws. */
export async function settledMemory(reader: MemoryReader): Promise<SettledReading> {
  const { clock, signal } = reader;
  const origin = clock.origin();
  const taken: SettledReading[] = [];
  const settled = await poll(
    () => {
      const now = readingNow(reader, taken.at(-1)?.memory.usedBytes ?? []);
      taken.push(now);
      const { usedBytes } = now.memory;
      if (usedBytes.length === 0) return now;
      const span = Math.max(...usedBytes) - Math.min(...usedBytes);
      return usedBytes.length === readingsKept && span <= settledWithinBytes ? now : undefined;
    },
    { everyNs: readingPeriodNs, forNs: settleLimitNs, signal, clock },
  );
  const { memory, snapshot } = settled ?? taken.at(-1) ?? readingNow(reader, []);
  const isSettled = settled !== undefined && memory.usedBytes.length > 0;
  return { memory: { ...memory, settledNs: isSettled ? clock.offsetNs(origin) : null }, snapshot };
}

/** One more reading behind those before it. */
function readingNow({ session, device }: MemoryReader, before: readonly number[]): SettledReading {
  const snapshot = session.snapshot();
  const memory = readingOf(snapshot, device.uuid)?.memory;
  const used = memory?.usedBytes ?? null;
  const usedBytes = used === null ? [] : [...before, used].slice(-readingsKept);
  return { memory: { usedBytes, source: memory?.source ?? null, settledNs: null }, snapshot };
}

/** The device of that UUID in a snapshot. */
export function readingOf(snapshot: GpuSnapshot, uuid: string): DeviceReading | undefined {
  return snapshot.devices.find((device) => device.uuid === uuid);
}
