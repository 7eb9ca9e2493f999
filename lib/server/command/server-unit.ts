/** One process of a command with the port it was given: started, asked until it is ready, asked to answer. */
import { join, resolve } from 'node:path';
import { type Agent, request } from 'undici';
import { deadline } from '../../core/clock.ts';
import { codeOf, MpsbenchError, messageOf } from '../../core/errors.ts';
import { milliseconds, type Nanoseconds, ns, seconds } from '../../core/units.ts';
import type { CommandPlan } from '../../records/server-plans/command.ts';
import { loopbackHost, type ServerStart, urlHost } from '../adapter.ts';
import { askServer } from '../ask-server.ts';
import { answerProblem } from '../checked-answer.ts';
import { ServerProcess } from '../child-process.ts';
import { oneLine } from '../model-setup.ts';
import { launchOf } from './launch.ts';

const portAttempts = 3;
/** One answer to the question whether it is ready; a server that takes longer is asked anew. */
const readyAnswerNs = seconds(2);
const askEveryNs = milliseconds(50);
/** In the words of libc, Python, Go, Java and Node, and of programs that look before they bind. */
const portTaken = /\b(?:address|port)\b.{0,60}\b(?:already )?in use\b|EADDRINUSE/i;

export interface UnitStart {
  readonly plan: CommandPlan;
  readonly start: ServerStart;
  /** From 1; null = the one process of all workers. */
  readonly worker: number | null;
  readonly serverId: string;
  readonly choosePort: () => Promise<number>;
  readonly timeLeft: () => Nanoseconds;
  readonly signal: AbortSignal;
  readonly agent: Agent;
  /** Called as soon as there is a process, also one that turns out to be of no use. */
  readonly onProcess: (process: ServerProcess) => void;
}

export interface ServerUnit {
  readonly name: string;
  readonly process: ServerProcess;
  /** Of the requests. */
  readonly url: string;
}

/**
 * Ready by the plan's check. On another port should the first be taken meanwhile. Throws PORT_IN_USE after three
 * attempts, SERVER_START_FAILED, SERVER_NOT_READY or INTERRUPTED; the process is left to `onProcess`.
 */
export async function startUnit(unit: UnitStart): Promise<ServerUnit> {
  for (let attempt = 1; ; attempt++) {
    const port = await unit.choosePort();
    try {
      return await startOnce(unit, port);
    } catch (thrown) {
      if (codeOf(thrown) !== 'PORT_IN_USE' || attempt === portAttempts) throw thrown;
    }
  }
}

async function startOnce(unit: UnitStart, port: number): Promise<ServerUnit> {
  const { plan, start, worker } = unit;
  const base = `http://${urlHost(start.host ?? loopbackHost)}:${port}`;
  const { workingDirectory, ...launched } = launchOf(plan, start, {
    port,
    worker: worker ?? 1,
    serverId: unit.serverId,
  });
  const name = worker === null ? `the server (${launched.command})` : `worker ${worker} (${launched.command})`;
  const process = await ServerProcess.start({
    name,
    ...launched,
    workingDirectory,
    unsetEnvironment: start.unsetEnvironment,
    logPath: join(resolve(start.logDirectory), worker === null ? 'server.log' : `worker-${worker}.log`),
    emergency: start.emergency,
    stopTimeoutNs: plan.stop.timeout,
  });
  unit.onProcess(process);
  try {
    await untilReady(unit, name, process, `${base}${plan.ready.path}`);
  } catch (thrown) {
    if (process.end === null || !portTaken.test(process.log())) throw thrown;
    const what = `${name} could not have port ${port}`;
    throw new MpsbenchError('PORT_IN_USE', `${what}; see which program takes it: ${process.logTail()}`, {
      cause: thrown,
    });
  }
  return { name, process, url: `${base}${plan.request.path}` };
}

async function untilReady(unit: UnitStart, name: string, process: ServerProcess, url: string): Promise<void> {
  const { plan, start, signal, timeLeft, agent } = unit;
  let last = 'gave no answer';
  const ask = async (): Promise<true | undefined> => {
    using limit = deadline(ns(Math.min(readyAnswerNs, Math.max(1, timeLeft()))), signal);
    try {
      const { statusCode, body } = await request(url, { dispatcher: agent, signal: limit });
      const text = await body.text();
      if (statusCode === plan.ready.status) return true;
      last = `answered ${statusCode} ${oneLine(text)}`.trim();
    } catch (cause) {
      // What it said before its time was over tells more.
      if (!limit.aborted) last = `gave no answer (${messageOf(cause)})`;
    }
    return undefined;
  };
  const limits = { timeoutNs: timeLeft(), signal, everyNs: askEveryNs };
  await process.waitUntilReady(ask, limits).catch((thrown: unknown) => {
    if (codeOf(thrown) !== 'SERVER_NOT_READY') throw thrown;
    const what = `${name} was not ready after ${start.readyTimeoutNs / 1e9} s: GET ${url} ${last} instead of ${plan.ready.status}`;
    const advice = 'raise readyTimeout, mend server.ready, or see why';
    throw new MpsbenchError('SERVER_NOT_READY', `${what}; ${advice}: ${process.logTail()}`, { cause: thrown });
  });
}

/** Asks it as the load will. Throws SERVER_CHECK_FAILED for another answer than the plan's. */
export async function checkUnit(unit: UnitStart, { name, process, url }: ServerUnit, body: Uint8Array | null) {
  const { plan, signal, timeLeft, agent } = unit;
  const { method, headers } = plan.request;
  const asked = { method, headers, signal, timeoutNs: timeLeft(), ...(body === null ? {} : { body }) };
  const reply = await askServer({ name, process, dispatcher: agent }, url, asked);
  const problem = answerProblem(reply, plan.expect);
  if (problem === null) return;
  const advice = 'mend server.request, or server.expect, so that it is a request that the program takes';
  throw new MpsbenchError(
    'SERVER_CHECK_FAILED',
    `${name} ${problem} (to ${method} ${url}); ${advice}; ${process.logTail()}`,
  );
}
