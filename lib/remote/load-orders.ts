/** The driver's hands: carries out the loads that the agent orders, with its own engine and its own clock. */

import { z } from 'zod';
import type { Clock, Origin } from '../core/clock.ts';
import { isInterrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import type { LoadEngine, LoadProgress } from '../load/engine.ts';
import type { Calibrate } from '../load/headroom.ts';
import { requestBytes } from '../load/request-bytes.ts';
import type { LoadSpec } from '../records/load.ts';
import type { AgentLink } from './agent-link.ts';
import { checkRelation, toNear } from './clock-relation.ts';
import { decodeSpec, encodeResult } from './load-wire.ts';
import type { Answer, EventBody } from './protocol.ts';

export interface LoadOrdersOptions {
  readonly link: AgentLink;
  readonly lease: string;
  readonly host: string;
  readonly engine: Pick<LoadEngine, 'run'>;
  readonly calibrate: (signal: AbortSignal) => Calibrate;
  /** Sent instead of those that the server brings; empty = those. */
  readonly bodies: readonly Uint8Array[];
  readonly clock: Clock;
  /** CPU time of this process so far. */
  readonly usedNs: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
}

type LoadOrder = Extract<EventBody, { kind: 'load' }>;
type CalibrationOrder = Extract<EventBody, { kind: 'calibrate' }>;

const anything = z.unknown();

export class LoadOrders {
  readonly #options: LoadOrdersOptions;
  #current: { readonly order: number; readonly abort: AbortController } | null = null;

  constructor(options: LoadOrdersOptions) {
    this.#options = options;
  }

  /** Resolves when the answer is with the agent. Throws what the link throws, and INTERRUPTED on the driver's abort. */
  async carryOut(event: LoadOrder | CalibrationOrder): Promise<void> {
    const { order } = event;
    const { signal } = this.#options;
    const abort = new AbortController();
    const onAbort = (): void => abort.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#current = { order, abort };
    try {
      if (event.kind === 'load') await this.#load(event, abort.signal);
      else await this.#calibrate(event, abort.signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#current = null;
    }
  }

  /** The agent does not want it any more. */
  cancel(order: number): void {
    if (this.#current?.order === order) this.#current.abort.abort();
  }

  async #load({ order, spec: wire, origin }: LoadOrder, signal: AbortSignal): Promise<void> {
    const { link, engine, bodies, clock, usedNs, onProgress, host } = this.#options;
    const before = await link.relateClocks();
    const near: Origin = { originNs: toNear(BigInt(origin.originNs), before), originAt: origin.originAt };
    let told: Promise<void> = Promise.resolve();
    const run = engine.run(decodeSpec(wire, bodies), {
      signal,
      origin: near,
      onProgress,
      onMeasurementStart: (offsetNs) => {
        told = this.#answer(order, { kind: 'measuring', offsetNs, usedNs: usedNs() });
        // Waited for below; a failure of the link must not end the process meanwhile.
        told.catch(() => {});
      },
      onMeasurementEnd: async () => {
        await told;
        await this.#answer(order, { kind: 'measured', offsetNs: clock.offsetNs(near), usedNs: usedNs() });
      },
    });
    const result = await this.#orFailure(order, run, signal);
    if (result === null) return;
    const checked = checkRelation(before, await link.relateClocks());
    const remote = {
      driver: host,
      clockErrorNs: checked.errorNs,
      roundTripNs: before.roundTripNs,
      clockMovedNs: checked.movedNs,
    };
    await this.#answer(order, { kind: 'result', result: encodeResult(result, remote) });
  }

  async #calibrate({ order, spec: wire, subject, measuredNs }: CalibrationOrder, signal: AbortSignal): Promise<void> {
    const { bodies, calibrate } = this.#options;
    const spec = decodeSpec(wire, bodies);
    const own = { ...subject, requestBytes: meanRequestBytes(spec) };
    const calibration = await this.#orFailure(order, calibrate(signal)(spec, own, measuredNs), signal);
    if (calibration !== null) await this.#answer(order, { kind: 'calibrated', calibration });
  }

  /** Null once the failure is told, or the order was cancelled. A broken link is nobody's failure but the study's. */
  async #orFailure<T>(order: number, work: Promise<T>, signal: AbortSignal): Promise<T | null> {
    try {
      return await work;
    } catch (thrown) {
      if (isInterrupted(thrown) && signal.aborted && !this.#options.signal.aborted) return null;
      if (!(thrown instanceof MpsbenchError) || isInterrupted(thrown) || ofTheLink.has(thrown.code)) throw thrown;
      await this.#answer(order, { kind: 'failed', code: thrown.code, message: messageOf(thrown) });
      return null;
    }
  }

  async #answer(order: number, answer: Answer): Promise<void> {
    const { link, lease } = this.#options;
    await link.ask('answer', { lease, order, answer }, anything);
  }
}

const ofTheLink: ReadonlySet<string> = new Set(['AGENT_LOST', 'AGENT_REFUSED', 'LEASE_LOST']);

/** The agent does not know the driver's bodies. */
function meanRequestBytes(spec: LoadSpec): number {
  const { heads, bodies } = requestBytes(spec);
  const sum = [...heads, ...bodies].reduce((bytes, part) => bytes + part.byteLength, 0);
  return Math.round(sum / heads.length);
}
