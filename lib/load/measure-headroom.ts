/** The headroom of one load run, for programs that use the package. */
import { emergencyStopsUntilExit } from '../core/emergency.ts';
import type { Headroom } from '../records/headroom.ts';
import type { LoadSummary } from '../records/load.ts';
import { calibrate } from './calibration.ts';
import { anyEngine } from './choose-engine.ts';
import { HeadroomMeter } from './headroom.ts';
import { completeLoad, type RequestedLoad } from './requested-load.ts';

/**
 * Asks what the generator of a run reaches with the same requests against a server that answers at once, in a process
 * of its own: 1.5 s at most. To be called right after the run, with its spec and summary. What keeps it from being
 * known (no addon, TLS, an abort) is told in `unavailable`.
 */
export async function measureHeadroom(
  requested: RequestedLoad,
  summary: LoadSummary,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
): Promise<Headroom> {
  using emergency = emergencyStopsUntilExit();
  const wish = anyEngine;
  const meter = new HeadroomMeter(
    (spec, subject, measuredNs) => calibrate(spec, subject, measuredNs, { signal, emergency, wish }),
    null,
  );
  return await meter.of(completeLoad(requested), summary);
}
