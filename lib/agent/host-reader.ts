/** Reads this host for all who ask at once: the GPUs at most every 250 ms, MPS and the energy counters far less often. */
import { deadline } from '../core/clock.ts';
import { isInterrupted, MpsbenchError } from '../core/errors.ts';
import { milliseconds, type Nanoseconds, seconds } from '../core/units.ts';
import type { GpuSession } from '../gpu/session.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import { type HostSnapshot, hostSnapshot } from '../study/host-snapshot.ts';
import type { PreflightFacts } from '../study/preflight-check.ts';
import { type DaemonFacts, daemonFacts } from './mps-facts.ts';
import { type ProcessArm, processArm, WishReader } from './process-arm.ts';

/** What is read seldom, and in the background. */
export interface SlowFacts {
  readonly facts: PreflightFacts;
  readonly daemons: readonly DaemonFacts[];
  /** Device index -> total energy, millijoules. */
  readonly energyMillijoules: ReadonlyMap<number, number>;
}

export interface SourceHealth {
  /** Unix time; null = never yet. */
  readonly lastSuccessSeconds: number | null;
  /** Of the last reading; null = none yet. */
  readonly durationSeconds: number | null;
  readonly failures: number;
}

export interface HostReading {
  /** null = see `unavailable`. */
  readonly snapshot: HostSnapshot | null;
  readonly unavailable: { readonly code: string; readonly message: string } | null;
  /** By place in `snapshot.processes`. */
  readonly arms: readonly ProcessArm[];
  readonly slow: SlowFacts | null;
  readonly gpuHealth: SourceHealth;
  readonly mpsHealth: SourceHealth;
}

export interface HostSources {
  /** Throws MpsbenchError where there is no usable driver. */
  readonly openGpu: () => GpuSession;
  /** What the checks of the host need beside a GPU reading; rejects with INTERRUPTED only. */
  readonly facts: (gpu: GpuSnapshot | null) => Promise<PreflightFacts>;
  readonly signal: AbortSignal;
}

/** Within it everybody gets the same reading. */
const readingSpan: Nanoseconds = milliseconds(250);
/** Slow facts that are older are read again while the old ones are given. */
const slowSpan: Nanoseconds = seconds(15);
/** Slow facts that are older are waited for: nobody has asked for a while. */
const staleSpan: Nanoseconds = seconds(90);
const slowPatience: Nanoseconds = seconds(3);
/** A driver that can't be opened is tried again after it. */
const reopenSpan: Nanoseconds = seconds(10);

/** To be closed when the agent ends. */
export class HostReader implements Disposable {
  readonly #sources: HostSources;
  readonly #wishes = new WishReader();
  #session: GpuSession | null = null;
  #reading: { readonly atNs: number; readonly value: HostReading } | null = null;
  #opening: { readonly failedAtNs: number; readonly error: MpsbenchError } | null = null;
  #slow: { readonly atNs: number; readonly value: SlowFacts } | null = null;
  #refresh: Promise<void> | null = null;
  #gpuHealth: SourceHealth = { lastSuccessSeconds: null, durationSeconds: null, failures: 0 };
  #mpsHealth: SourceHealth = { lastSuccessSeconds: null, durationSeconds: null, failures: 0 };

  constructor(sources: HostSources) {
    this.#sources = sources;
  }

  /** The reading of this moment, or that of somebody who asked less than 250 ms ago. */
  async read(): Promise<HostReading> {
    await this.#keepSlowFacts();
    const now = monotonicNs();
    if (this.#reading && now - this.#reading.atNs < readingSpan) return this.#reading.value;
    const value = this.#readNow();
    this.#reading = { atNs: now, value };
    return value;
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #readNow(): HostReading {
    const gpu = this.#readGpu({ withEnergy: false });
    const slow = this.#slow?.value ?? null;
    const health = { gpuHealth: this.#gpuHealth, mpsHealth: this.#mpsHealth };
    if (gpu instanceof MpsbenchError || slow === null) {
      const why = gpu instanceof MpsbenchError ? gpu : null;
      const unavailable = {
        code: why?.code ?? 'MPS_NOT_READY',
        message: why?.message ?? 'the host is being looked at',
      };
      return { snapshot: null, unavailable, arms: [], slow, ...health };
    }
    const snapshot = hostSnapshot(gpu, slow.facts);
    return { snapshot, unavailable: null, arms: this.#armsOf(snapshot, slow), slow, ...health };
  }

  #armsOf({ gpu, processes }: HostSnapshot, { daemons }: SlowFacts): ProcessArm[] {
    const listed = new Map(gpu.devices.map(({ index, unavailable }) => [index, !unavailable['processes.mps']]));
    return processes.map((process) =>
      processArm(process, this.#wishes.of(process.pid), daemons, listed.get(process.device) ?? false),
    );
  }

  /** A session whose driver has failed is closed, and opened again by a later reading. */
  #readGpu(asked: { readonly withEnergy: boolean }): GpuSnapshot | MpsbenchError {
    const beganNs = monotonicNs();
    try {
      const snapshot = this.#opened().snapshot(asked);
      const durationSeconds = (monotonicNs() - beganNs) / 1e9;
      if (!asked.withEnergy) {
        this.#gpuHealth = { ...this.#gpuHealth, lastSuccessSeconds: wallSeconds(), durationSeconds };
      }
      return snapshot;
    } catch (thrown) {
      if (!(thrown instanceof MpsbenchError)) throw thrown;
      this.#gpuHealth = { ...this.#gpuHealth, failures: this.#gpuHealth.failures + 1 };
      this.close();
      return thrown;
    }
  }

  #opened(): GpuSession {
    if (this.#session) return this.#session;
    if (this.#opening && monotonicNs() - this.#opening.failedAtNs < reopenSpan) throw this.#opening.error;
    try {
      this.#session = this.#sources.openGpu();
      return this.#session;
    } catch (thrown) {
      if (thrown instanceof MpsbenchError) this.#opening = { failedAtNs: monotonicNs(), error: thrown };
      throw thrown;
    }
  }

  async #keepSlowFacts(): Promise<void> {
    const ageNs = this.#slow ? monotonicNs() - this.#slow.atNs : Number.POSITIVE_INFINITY;
    if (ageNs < slowSpan) return;
    this.#refresh ??= this.#readSlowFacts().finally(() => {
      this.#refresh = null;
    });
    if (ageNs < staleSpan) return;
    using patience = deadline(slowPatience, this.#sources.signal);
    const expired = new Promise<void>((resolve) => patience.addEventListener('abort', () => resolve()));
    await (this.#slow ? Promise.race([this.#refresh, expired]) : this.#refresh);
  }

  /** Never rejects: what could not be read this time is counted, and the old facts stay. */
  async #readSlowFacts(): Promise<void> {
    const beganNs = monotonicNs();
    const gpu = this.#readGpu({ withEnergy: true });
    try {
      const facts = await this.#sources.facts(gpu instanceof MpsbenchError ? null : gpu);
      const daemons = await daemonFacts(facts.mps, this.#sources.signal);
      this.#slow = { atNs: beganNs, value: { facts, daemons, energyMillijoules: energyOf(gpu) } };
      this.#wishes.forget();
      const durationSeconds = (monotonicNs() - beganNs) / 1e9;
      this.#mpsHealth = { ...this.#mpsHealth, lastSuccessSeconds: wallSeconds(), durationSeconds };
    } catch (thrown) {
      if (!isInterrupted(thrown)) throw thrown;
      this.#mpsHealth = { ...this.#mpsHealth, failures: this.#mpsHealth.failures + 1 };
    }
  }
}

function energyOf(gpu: GpuSnapshot | MpsbenchError): Map<number, number> {
  const devices = gpu instanceof MpsbenchError ? [] : gpu.devices;
  return new Map(
    devices.flatMap(({ index, energyMillijoules: total }) => (total === null ? [] : [[index, total] as const])),
  );
}

function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

/** Unix time, for people and for Prometheus. */
function wallSeconds(): number {
  return Date.parse(new Date().toISOString()) / 1000;
}
