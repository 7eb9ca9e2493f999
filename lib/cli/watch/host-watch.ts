/** Looks at the host again and again: the driver at every look, /proc and the MPS daemons only when there is reason to. */
import { systemClock } from '../../core/clock.ts';
import { isInterrupted } from '../../core/errors.ts';
import { seconds } from '../../core/units.ts';
import type { GpuSession } from '../../gpu/session.ts';
import { defaultPipeDirectory } from '../../mps/foreign-daemons.ts';
import type { GpuSnapshot } from '../../records/gpu.ts';
import type { CliContext } from '../context.ts';
import { type MpsReading, readMps } from './mps-reading.ts';
import { ProcessFactsReader } from './process-facts.ts';
import { type WatchState, watchState } from './watch-state.ts';

/** Between two questions to the daemons while nothing changes, and at the least when processes come and go. */
const askEveryNs = seconds(30);
const askAgainNs = seconds(5);

export class HostWatch {
  readonly #context: CliContext;
  readonly #session: GpuSession;
  readonly #device: number | null;
  readonly #origin = systemClock.origin();
  readonly #facts = new ProcessFactsReader();
  #mps: MpsReading;
  #askedNs = 0;
  #asking = false;
  #failure: unknown = null;
  #pids = '';

  private constructor(context: CliContext, session: GpuSession, device: number | null, mps: MpsReading) {
    this.#context = context;
    this.#session = session;
    this.#device = device;
    this.#mps = mps;
  }

  /** `device`: index of the only one to show; null = all. Rejects with INTERRUPTED. */
  static async begin(context: CliContext, session: GpuSession, device: number | null): Promise<HostWatch> {
    return new HostWatch(context, session, device, await readMps(context));
  }

  /** The host now. Throws what the session's snapshot() throws. */
  look(): WatchState {
    if (this.#failure !== null) throw this.#failure;
    const gpu = this.#session.snapshot();
    this.#askIfDue(gpu);
    return watchState({
      recordedAt: new Date().toISOString(),
      gpu,
      device: this.#device,
      mps: this.#mps,
      factsOf: (pid) => this.#facts.of(pid),
      defaultDirectory: defaultPipeDirectory,
    });
  }

  /** In the background: a daemon may take its time, and the figures of the driver are there already. */
  #askIfDue(gpu: GpuSnapshot): void {
    const pids = new Set(gpu.devices.flatMap(({ processes }) => (processes ?? []).map(({ pid }) => pid)));
    this.#facts.keepOnly(pids);
    const seen = [...pids].sort((a, b) => a - b).join(' ');
    const nowNs = systemClock.offsetNs(this.#origin);
    const waitNs = this.#pids === '' || seen === this.#pids ? askEveryNs : askAgainNs;
    if (this.#pids === '') this.#pids = seen;
    if (this.#asking || nowNs - this.#askedNs < waitNs) return;
    this.#pids = seen;
    this.#askedNs = nowNs;
    this.#asking = true;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    try {
      this.#mps = await readMps(this.#context);
      // A PID may mean another process by now, and a pipe directory may have come or gone.
      this.#facts.forget();
    } catch (thrown) {
      if (!isInterrupted(thrown)) this.#failure = thrown;
    } finally {
      this.#asking = false;
    }
  }
}
