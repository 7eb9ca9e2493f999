/** Several processes that hold a CUDA context each, made at once and released together. */
import { type Deadline, deadline } from '../core/clock.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { type ErrorCode, errorCodes, interrupted, MpsbenchError } from '../core/errors.ts';
import { formatDuration, type Nanoseconds, seconds } from '../core/units.ts';
import type { ContextClient } from '../records/context-cost.ts';
import { HeldContext, type HoldAnswer } from './held-context.ts';

export interface ContextHoldOptions {
  /** Variables of an arm, and inherited ones that must not reach the clients. */
  readonly environment: { readonly set: Readonly<Record<string, string>>; readonly unset: readonly string[] };
  /** Path of libcuda; null = by soname. */
  readonly cudaPath: string | null;
  readonly deviceUuid: string;
  /** How long the processes may take to start, and then to make their contexts; who has none by then is killed. */
  readonly timeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
  readonly emergency: EmergencyStops;
}

/** How long released processes may take to end before they are killed, and killed ones to vanish. */
const releaseNs = seconds(5);

/** Disposal releases every context and returns when the processes are gone. */
export class ContextHold implements AsyncDisposable {
  readonly #options: ContextHoldOptions;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #contexts: HeldContext[] = [];

  constructor(options: ContextHoldOptions) {
    const { set, unset } = options.environment;
    const inherited = Object.entries(process.env).filter(([name]) => !unset.includes(name));
    this.#options = options;
    // By UUID, as the daemon has it: an index would mean another device on its side.
    this.#environment = { ...Object.fromEntries(inherited), ...set, CUDA_VISIBLE_DEVICES: options.deviceUuid };
  }

  /**
   * Starts so many processes and, once all of them are up, has each make its context at the same moment. What came of
   * each is in the answer; refusals, crashes and hangs are answers too. Throws CUDA_LIBRARY_MISSING, CUDA_CALL_FAILED
   * (no such device), ADDON_MISSING or INTERRUPTED.
   */
  async add(count: number): Promise<readonly ContextClient[]> {
    const { cudaPath, deviceUuid, emergency, signal, timeoutNs } = this.#options;
    if (signal.aborted) throw interrupted('the start of CUDA contexts');
    const added = Array.from(
      { length: count },
      () => new HeldContext({ cudaPath, deviceUuid }, this.#environment, emergency),
    );
    this.#contexts.push(...added);
    await this.#within(Promise.all(added.map(({ ready }) => ready)));
    for (const context of added) context.make();
    const answers = added.map((): HoldAnswer | null => null);
    const all = added.map(async ({ answer }, index) => {
      answers[index] = await answer;
    });
    await this.#within(Promise.all(all));
    return added.map((context, index) => clientOf(context, answers[index] ?? null, timeoutNs));
  }

  /** The same clients as of now: one that held its context and whose process is gone has ended. */
  asOfNow(clients: readonly ContextClient[]): ContextClient[] {
    const gone = new Set(this.#contexts.filter(({ hasEnded }) => hasEnded).map(({ pid }) => pid));
    return clients.map((client) =>
      client.outcome === 'held' && gone.has(client.pid)
        ? { ...client, outcome: 'ended', detail: 'its process ended while it held its context' }
        : client,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = Promise.all(this.#contexts.map(({ closed }) => closed));
    for (const context of this.#contexts) context.release();
    {
      using over = deadline(releaseNs);
      await orAborted(gone, over);
    }
    for (const context of this.#contexts) context.kill();
    using over = deadline(releaseNs);
    if (await orAborted(gone, over)) return;
    const pids = this.#contexts.map(({ pid }) => pid).join(', ');
    throw new MpsbenchError(
      'CONTEXT_PROBE_FAILED',
      `releasing CUDA contexts failed on some of the processes ${pids}: not even SIGKILL ends them; see dmesg for driver faults`,
    );
  }

  /** Resolves when the work is done or its time is over. */
  async #within(work: Promise<unknown>): Promise<void> {
    const { signal, timeoutNs } = this.#options;
    using over = deadline(timeoutNs, signal);
    await orAborted(work, over);
    if (signal.aborted) throw interrupted('the making of CUDA contexts');
  }
}

/** Whether the work was done before the deadline. */
function orAborted(work: Promise<unknown>, over: Deadline): Promise<boolean> {
  return new Promise((resolve) => {
    over.addEventListener('abort', () => resolve(false), { once: true });
    if (over.aborted) resolve(false);
    void work.then(() => resolve(true));
  });
}

function clientOf(context: HeldContext, answer: HoldAnswer | null, timeoutNs: Nanoseconds): ContextClient {
  const { pid } = context;
  const unknown = { pid, contextCreationNs: null, multiprocessorCount: null, mpsEnabled: null, error: null };
  if (answer === null) {
    context.kill();
    return { ...unknown, outcome: 'hung', detail: `it had not answered after ${formatDuration(timeoutNs)}` };
  }
  if (answer.kind === 'failed') {
    throw new MpsbenchError(isErrorCode(answer.code) ? answer.code : 'CONTEXT_PROBE_FAILED', answer.message);
  }
  if (answer.kind === 'ended') {
    const said = answer.lastLine === '' ? '' : `: ${answer.lastLine}`;
    return { ...unknown, outcome: 'ended', detail: `its process ${answer.ending}${said}` };
  }
  const { contextCreationNs, multiprocessorCount, mpsEnabled, error } = answer.probe;
  const seen = { pid, contextCreationNs, multiprocessorCount, mpsEnabled, error, detail: null };
  return { ...seen, outcome: answer.kind };
}

function isErrorCode(code: string | null): code is ErrorCode {
  return code !== null && code in errorCodes;
}
