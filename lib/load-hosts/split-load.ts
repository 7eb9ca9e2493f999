/** Splits a load into the shares of several generators, which together send just what was asked for: pure. */
import { MpsbenchError } from '../core/errors.ts';
import { counted } from '../core/units.ts';
import { dueTimes } from '../load/due-times.ts';
import { shareOf } from '../load/issuer.ts';
import { lanesOf } from '../load/sender.ts';
import type { LoadShare, LoadSpec, Loop, Stop } from '../records/load.ts';

/**
 * Share `index` of `of`. A closed loop is split by its concurrency. Of an open loop a share has every of-th request of
 * the one schedule and its part of the connections. The n-th request of a share has the number index + n x of, and so
 * the body that it would have in one run. RangeError for an index that there is none of; see checkShares for the rest.
 */
export function splitLoad(spec: LoadSpec, index: number, of: number): LoadSpec {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < of)) throw new RangeError(`no share ${index} of ${of}`);
  const dueNs = spec.loop.kind === 'closed' ? null : everyNth(dueTimes(spec), index, of);
  const share: LoadShare = { index, of, stop: spec.stop, ...(dueNs && { dueNs }) };
  return { ...rotated(spec, index, of), loop: loopOf(spec.loop, index, of), stop: stopOf(spec, share), share };
}

/** Throws USAGE for a load that has less than one connection or one request for each share. */
export function checkShares(spec: LoadSpec, of: number): void {
  const lanes = lanesOf(spec);
  const advice = `give at least ${of}, or fewer load hosts`;
  if (lanes < of) {
    throw new MpsbenchError(
      'USAGE',
      `${counted(lanes, 'connection')} cannot be split over ${of} load hosts: ${advice}`,
    );
  }
  if (spec.stop.kind === 'requests' && spec.stop.requests < of) {
    const requests = counted(spec.stop.requests, 'request');
    throw new MpsbenchError('USAGE', `${requests} cannot be split over ${of} load hosts: ${advice}`);
  }
}

function everyNth(dueNs: Float64Array, index: number, of: number): Float64Array {
  return Float64Array.from({ length: shareOf(dueNs.length, { thread: index, threads: of }) }, (_, n) => {
    return dueNs[index + n * of] as number;
  });
}

function loopOf(loop: Loop, thread: number, threads: number): Loop {
  const part = (whole: number): number => shareOf(whole, { thread, threads });
  if (loop.kind === 'closed') return { ...loop, concurrency: part(loop.concurrency) };
  return { ...loop, connections: part(loop.connections) };
}

function stopOf({ stop, warmupNs }: LoadSpec, { index, of, dueNs }: LoadShare): Stop {
  if (stop.kind === 'duration') return stop;
  const requests = dueNs
    ? dueNs.filter((at) => at >= warmupNs).length
    : shareOf(stop.requests, { thread: index, threads: of });
  return { kind: 'requests', requests };
}

/** Connection n of the whole is one to URL n modulo their number, also where it is the first of a share. */
function rotated(spec: LoadSpec, index: number, of: number): LoadSpec {
  const { endpoints } = spec;
  if (endpoints === undefined || endpoints.length < 2) return spec;
  const lanes = lanesOf(spec);
  let before = 0;
  for (let thread = 0; thread < index; thread++) before += shareOf(lanes, { thread, threads: of });
  const first = before % endpoints.length;
  const turned = [...endpoints.slice(first), ...endpoints.slice(0, first)];
  return { ...spec, url: turned[0] as string, endpoints: turned };
}
