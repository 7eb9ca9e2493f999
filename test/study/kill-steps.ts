/** Steps of a trial at which a study is held, so that a fault falls exactly there; and whom a fault can hit. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StageRun, StudyStage } from './study-stage.ts';

export interface Step {
  readonly name: string;
  /** Makes the study stand still there. `trialId` is the trial that is to run. */
  readonly hold: (stage: StudyStage, trialId: string) => void;
  readonly reached: (stage: StudyStage, trialId: string) => boolean | Promise<boolean>;
}

const forever = 60_000;
/** Forty requests then take four seconds, and none without it. */
const slowAnswers = 'hang cuMemcpyDtoH 100';
/** Shorter than the patience of a front that stops. */
const slowEnd = 'hang cuModuleUnload 20000';

const has = (stage: StudyStage, program: string): boolean =>
  stage.processes().some(({ text }) => text.includes(program));
/** Two are asked by the check and four for the samples of replies; more than that is load. */
const underLoad = async (stage: StudyStage): Promise<boolean> => (await stage.servedRequests()) > 8;
const serverLog = (stage: StudyStage, trialId: string): string =>
  join(stage.out, 'logs', `${trialId}-1`, 'embedded-server.log');

function commanded(stage: StudyStage, command: string): boolean {
  const logs = readdirSync(stage.temporary).map((name) => join(stage.temporary, name, 'log', 'control.log'));
  return logs.some((path) => existsSync(path) && readFileSync(path, 'utf8').includes(`Cmd:${command}`));
}

/** To open it for writing waits for a reader, and none comes. */
function holdWrite(stage: StudyStage, name: string): void {
  execFileSync('mkfifo', [join(stage.out, `${name}.partial`)]);
}

const histograms = (trialId: string): string => join('histograms', `${trialId}-1.json`);

export const steps = {
  checks: {
    name: 'checks of the host',
    hold: (stage) => stage.playCuda([`hang cuInit ${forever}`]),
    reached: (stage) => has(stage, 'context-probe-child'),
  },
  daemonStart: {
    name: 'start of the daemon',
    hold: (stage) => stage.playMps({ hang: ['-d'] }),
    reached: (stage) => has(stage, 'fake-mps-control -d') || has(stage, 'mps-control -d'),
  },
  mpsServerStart: {
    name: 'start of the MPS server',
    hold: (stage) => stage.playMps({ hang: ['start_server'] }),
    reached: (stage) => commanded(stage, 'start_server'),
  },
  serverStart: {
    name: 'start of the server',
    hold: (stage) => stage.playCuda([`hang cuModuleLoadData ${forever}`]),
    reached: (stage) => has(stage, 'worker-main') && readdirSync(stage.residents).length > 1,
  },
  check: {
    name: 'checked request',
    hold: (stage) => stage.playCuda([`hang cuMemcpyDtoH ${forever}`]),
    // A request counts when its worker has it.
    reached: async (stage) => (await stage.servedRequests()) > 0,
  },
  proof: {
    name: 'proof of attachment',
    hold: (stage) => stage.playMps({ hang: ['get_client_list'] }),
    reached: (stage) => commanded(stage, 'get_client_list'),
  },
  warmUp: { name: 'warm-up', hold: (stage) => slowly(stage, '4s'), reached: underLoad },
  measurement: { name: 'measurement', hold: (stage) => slowly(stage, '1ms'), reached: underLoad },
  serverStop: {
    name: 'stop of the server',
    hold: (stage) => stage.playCuda([slowEnd]),
    reached: async (stage, trialId) =>
      existsSync(serverLog(stage, trialId)) &&
      commanded(stage, 'get_client_list') &&
      has(stage, 'worker-main') &&
      (await stage.serverFacts()) === '',
  },
  daemonStop: {
    name: 'stop of the daemon',
    hold: (stage) => stage.playMps({ hang: ['quit'] }),
    reached: (stage) => commanded(stage, 'quit'),
  },
  record: {
    name: 'record of the trial',
    hold: (stage, trialId) => holdWrite(stage, histograms(trialId)),
    // Of all that a clean end leaves none of, the tool itself and its lock are there.
    reached: (stage, trialId) => existsSync(serverLog(stage, trialId)) && stage.leftovers().length === 2,
  },
  report: {
    name: 'report',
    hold: (stage) => holdWrite(stage, 'report.md'),
    reached: (stage) => existsSync(join(stage.out, 'results.csv')),
  },
} as const satisfies Record<string, Step>;
export type StepName = keyof typeof steps;

/** Every request waits in the driver; the warm-up of the plan, which is over in a blink, is made as long as said. */
function slowly(stage: StudyStage, warmup: string): void {
  stage.playCuda([slowAnswers]);
  const plan = join(stage.out, 'plan.yaml');
  writeFileSync(plan, readFileSync(plan, 'utf8').replace(/^( *warmup:) .*$/m, `$1 ${warmup}`));
}

/** The fakes answer again, and nothing is in the way of a write. */
export function release(stage: StudyStage, trialId: string): void {
  stage.playCuda([]);
  stage.playMps({});
  for (const name of [histograms(trialId), 'report.md']) rmSync(join(stage.out, `${name}.partial`), { force: true });
}

/** Whom SIGKILL hits; and a daemon that lives and does not answer. */
export const faults = {
  tool: 'the tool',
  worker: 'a worker',
  front: 'the front end',
  mpsServer: 'the MPS server',
  daemon: 'the control daemon',
  wedged: 'the daemon is wedged',
} as const;
export type Fault = keyof typeof faults;

const programs: Readonly<Record<Exclude<Fault, 'tool' | 'wedged'>, RegExp>> = {
  worker: /worker-main/,
  front: /front-main/,
  mpsServer: /nvidia-cuda-mps-server/,
  daemon: /mps-control.* -d|daemon\.mjs -d/,
};

/** Throws where there is nobody to be hit. Where a command of the daemon hangs at the step, it is wedged by that. */
export function strike(fault: Fault, step: StepName, stage: StudyStage, run: StageRun): void {
  if (fault === 'tool') run.signal('SIGKILL');
  else if (fault === 'wedged') {
    if (step === 'measurement') stage.playMps({ hang: ['get_server_list'] });
  } else {
    const found = stage.processes().filter(({ text }) => programs[fault].test(text));
    if (found.length === 0) throw new Error(`no ${faults[fault]} among ${JSON.stringify(stage.processes())}`);
    for (const { pid } of found) process.kill(pid, 'SIGKILL');
  }
}
