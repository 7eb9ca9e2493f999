/** The engine in C++: plain HTTP/1.1 from threads of its own, on Linux. */
import { streamState } from '../core/random.ts';
import type { LoadRunOptions, NativeAddon, NativeLoadRun } from '../native/addon.ts';
import type { LoadSpec } from '../records/load.ts';
import { templateStream } from './body-template.ts';
import type { LoadEngine } from './engine.ts';
import { type EngineOptions, engineOf } from './engine-run.ts';
import { requestBytes } from './request-bytes.ts';
import type { Sender, SendingPlan, SendingRun } from './sender.ts';
import { type ServerAddresses, serverAddresses } from './server-address.ts';

export interface NativeEngineOptions extends Partial<EngineOptions> {
  readonly addon: NativeAddon;
  /** Where the sending threads run; null = anywhere. */
  readonly cpus?: readonly number[] | null;
}

/**
 * Phases, outcomes, throughput and latency mean what they mean with the undici engine. With several threads, requests
 * and connections are shared out among them beforehand. After a connection that could not be made, a closed loop waits
 * 10 ms before it tries again, and up to 100 ms while nothing but failures follow.
 */
export function nativeEngine({ addon, cpus = null, ...options }: NativeEngineOptions): LoadEngine {
  return engineOf(nativeSender(addon, cpus), options);
}

function nativeSender(addon: NativeAddon, cpus: readonly number[] | null): Sender {
  return {
    name: 'native',
    reason: null,
    prepare: async (spec) => {
      const address = await serverAddresses(spec);
      let run: NativeLoadRun | null = null;
      return {
        faults: addon.loadFaults,
        start: (plan) => {
          run = startRun(addon, spec, { ...address, cpus }, plan);
          return sendingRun(run);
        },
        [Symbol.asyncDispose]: async () => run?.close(),
      };
    },
  };
}

function startRun(
  addon: NativeAddon,
  spec: LoadSpec,
  place: ServerAddresses & Pick<LoadRunOptions, 'cpus'>,
  plan: SendingPlan,
): NativeLoadRun {
  return addon.startLoad({
    ...place,
    ...requestBytes(spec),
    ...plan,
    payloadStream: BigInt.asIntN(64, streamState(spec.seed, 'payload')),
    ...(spec.share && { numbering: Float64Array.of(spec.share.index, spec.share.of) }),
    templateStream: BigInt.asIntN(64, templateStream(spec.seed)),
    head: spec.method === 'HEAD',
    okStatuses: spec.expectStatus === null ? anySuccess() : [...new Set(spec.expectStatus)],
    timeoutNs: spec.timeoutNs,
  });
}

function sendingRun(run: NativeLoadRun): SendingRun {
  return {
    take: () => run.take(),
    beginMeasurement: (window) => run.beginMeasurement(window),
    stop: () => run.stop(),
    health: () => run.health(),
    noConnectionText: () => null,
  };
}

function anySuccess(): number[] {
  return Array.from({ length: 100 }, (_, index) => 200 + index);
}
