/** Adapter of any program: started once per worker or once for all, told its port, checked, and ended with its children. */
import { Agent } from 'undici';
import { systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { isRunning, type ProcessIdentity, processIdentity, runningProcesses } from '../core/process-identity.ts';
import { milliseconds, type Nanoseconds, ns, seconds } from '../core/units.ts';
import { type CommandPlan, launchArguments } from '../records/server-plans/command.ts';
import { loopbackHost, type RunningServer, type ServerAdapter, type ServerStart, type WorkerFacts } from './adapter.ts';
import { readRequestBodies } from './checked-answer.ts';
import type { ServerProcess } from './child-process.ts';
import { type FoundWorkers, stopCommand, workersAmong } from './command/process-tree.ts';
import { checkUnit, type ServerUnit, startUnit, type UnitStart } from './command/server-unit.ts';
import { freePorts } from './free-ports.ts';
import { ServerFootprint } from './server-footprint.ts';

/** After the checked responses a worker may need a moment until the driver lists it. */
const listedWithinNs = seconds(5);
const lookEveryNs = milliseconds(100);

export interface CommandAdapterOptions {
  /** PIDs that the driver lists on the device under study; left out = there is no GPU. */
  readonly gpuPids?: () => ReadonlySet<number>;
  readonly choosePort?: () => Promise<number>;
}

export function commandAdapter(plan: CommandPlan, options: CommandAdapterOptions = {}): ServerAdapter {
  return { kind: 'command', start: (start) => startCommand(plan, start, options) };
}

async function startCommand(
  plan: CommandPlan,
  start: ServerStart,
  options: CommandAdapterOptions,
): Promise<RunningServer> {
  const origin = systemClock.origin();
  const timeLeft = (): Nanoseconds => ns(Math.max(0, start.readyTimeoutNs - systemClock.offsetNs(origin)));
  const bodies = readRequestBodies(plan.request.bodies, 'server.request.bodies');
  const running = new CommandProcesses(plan, start);
  try {
    const units = await startUnits(plan, start, running, { ...options, timeLeft, body: bodies[0] ?? null });
    const found = await findWorkers(plan, start, units, options.gpuPids, timeLeft());
    running.footprint.look();
    return new CommandServer({ plan, units, bodies, found, running, readyNs: systemClock.offsetNs(origin) });
  } catch (thrown) {
    await running[Symbol.asyncDispose]();
    throw thrown;
  }
}

/** Every process that was started, and the way to end them with all that they left behind. */
class CommandProcesses implements AsyncDisposable {
  readonly footprint: ServerFootprint;
  readonly agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  readonly #processes: ServerProcess[] = [];
  readonly #plan: CommandPlan;

  constructor(plan: CommandPlan, start: ServerStart) {
    this.#plan = plan;
    const name = `command ${launchArguments(plan)[0] ?? ''}`.trim();
    this.footprint = new ServerFootprint({ name, stopSignal: plan.stop.signal, directory: null }, start);
  }

  add(process: ServerProcess): void {
    this.#processes.push(process);
    this.footprint.addLeader(process.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { signal, timeout } = this.#plan.stop;
    await this.agent.destroy();
    try {
      await stopCommand(this.footprint.processes, { signal, timeoutNs: timeout });
    } finally {
      // Where the system has no /proc, this alone ends them.
      await Promise.all(this.#processes.map((process) => process[Symbol.asyncDispose]()));
    }
    this.footprint.forget();
  }
}

interface UnitsStart extends CommandAdapterOptions {
  readonly timeLeft: () => Nanoseconds;
  readonly body: Uint8Array | null;
}

/** All at once; the first that fails ends the wait for the others. */
async function startUnits(
  plan: CommandPlan,
  start: ServerStart,
  running: CommandProcesses,
  { timeLeft, body, choosePort = () => freePort(start) }: UnitsStart,
): Promise<ServerUnit[]> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([start.signal, giveUp.signal]);
  const { agent, footprint } = running;
  const shared = { plan, start, serverId: footprint.serverId, choosePort, timeLeft, signal, agent };
  const numbers = plan.processes === 'one' ? [null] : Array.from({ length: start.workers }, (_, index) => index + 1);
  const failures: unknown[] = [];
  const units = numbers.map(async (worker) => {
    const wanted: UnitStart = { ...shared, worker, onProcess: (process) => running.add(process) };
    try {
      const unit = await startUnit(wanted);
      await checkWorkers(wanted, unit, body);
      return [unit];
    } catch (thrown) {
      failures.push(thrown);
      giveUp.abort();
      return [];
    }
  });
  const started = (await Promise.all(units)).flat();
  if (failures.length > 0) throw failures[0];
  return started;
}

/** Twice one after the other; of one process also so many at once that each of its workers is likely to answer. */
async function checkWorkers(wanted: UnitStart, unit: ServerUnit, body: Uint8Array | null): Promise<void> {
  await checkUnit(wanted, unit, body);
  await checkUnit(wanted, unit, body);
  const atOnce = wanted.worker === null ? 2 * wanted.start.workers : 0;
  await Promise.all(Array.from({ length: atOnce }, () => checkUnit(wanted, unit, body)));
}

async function findWorkers(
  plan: CommandPlan,
  start: ServerStart,
  units: readonly ServerUnit[],
  gpuPids: CommandAdapterOptions['gpuPids'],
  timeLeftNs: Nanoseconds,
): Promise<FoundWorkers> {
  const leaders = units.flatMap(({ process }) => processIdentity(process.pid) ?? []);
  const look = () => workersAmong(leaders, runningProcesses(), gpuPids?.() ?? new Set(), plan.processes === 'one');
  const origin = systemClock.origin();
  const withinNs = Math.min(listedWithinNs, timeLeftNs);
  const expectsDevice = gpuPids !== undefined && plan.workersUseCuda !== false;
  for (;;) {
    const found = look();
    const complete = found.onDevice && found.workers.length >= start.workers;
    if (!expectsDevice || complete || systemClock.offsetNs(origin) >= withinNs)
      return counted(plan, start, found, units);
    await systemClock.sleep(lookEveryNs, start.signal);
  }
}

/** One process that was told to make so many workers made as many as hold the device. */
function counted(
  plan: CommandPlan,
  start: ServerStart,
  found: FoundWorkers,
  units: readonly ServerUnit[],
): FoundWorkers {
  if (plan.processes !== 'one' || !found.onDevice || found.workers.length === start.workers) return found;
  const pids = found.workers.map(({ pid }) => pid).join(', ');
  const what = `the server was asked for ${start.workers} workers, and ${found.workers.length} of its processes hold the device (pid ${pids})`;
  const advice = 'write {workers} into server.launch where the program takes its number of workers';
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}; ${advice}; ${units[0]?.process.logTail()}`);
}

async function freePort({ host = loopbackHost }: ServerStart): Promise<number> {
  const [port = 0] = await freePorts(1, host);
  return port;
}

interface CommandParts {
  readonly plan: CommandPlan;
  readonly units: readonly ServerUnit[];
  readonly bodies: readonly Uint8Array[];
  readonly found: FoundWorkers;
  readonly running: CommandProcesses;
  readonly readyNs: Nanoseconds;
}

class CommandServer implements RunningServer {
  readonly description: string;
  readonly request: RunningServer['request'];
  readonly sampleBodies: readonly Uint8Array[];
  readonly readyNs: Nanoseconds;
  readonly otherPids: readonly number[];
  readonly reconfigure = null;
  readonly #units: readonly ServerUnit[];
  readonly #workers: readonly ProcessIdentity[];
  readonly #running: CommandProcesses;

  constructor({ plan, units, bodies, found, running, readyNs }: CommandParts) {
    const { launch, request } = plan;
    this.description = plan.description ?? (typeof launch === 'string' ? launch : launch.join(' '));
    const endpoints = units.map((unit) => unit.url);
    this.request = { url: endpoints[0] as string, method: request.method, headers: request.headers, endpoints };
    this.sampleBodies = bodies;
    this.readyNs = readyNs;
    this.otherPids = found.others.map(({ pid }) => pid);
    this.#units = units;
    this.#workers = found.workers;
    this.#running = running;
  }

  async workers(): Promise<readonly WorkerFacts[]> {
    const gone = this.#workers.filter((worker) => !isRunning(worker)).map(({ pid }) => pid);
    // The system tells of an end a moment before Node does.
    const unit = this.#units.find(({ process }) => process.end !== null || gone.includes(process.pid));
    if (unit) {
      const { name, process } = unit;
      throw new MpsbenchError(
        'WORKER_DIED',
        `${name} ${process.end ?? 'ended'} (pid ${process.pid}); ${process.logTail()}`,
      );
    }
    if (gone.length === 0)
      return this.#workers.map(({ pid }) => ({ pid, mpsEnabled: null, multiprocessorCount: null }));
    const log = this.#units[0]?.process.logTail();
    throw new MpsbenchError('WORKER_DIED', `a worker of the server died (pid ${gone.join(', ')}); ${log}`);
  }

  async counters(): Promise<null> {
    return null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#running[Symbol.asyncDispose]();
  }
}
