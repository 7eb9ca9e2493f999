/** Program of growth.test.ts: a study of 24 hours on fake parts, with what the process holds at some of its trials. */
import { getEventListeners } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { studyPlanSchema } from '../../lib/records/plan.ts';
import { requestedForm } from '../../lib/records/plan-text.ts';
import { createStudyDirectory, studyFiles } from '../../lib/records/study-directory.ts';
import { runStudy } from '../../lib/study/run-study.ts';
import { fakeHost } from './fake-parts.ts';

export interface Held {
  readonly trials: number;
  readonly heapBytes: number;
  readonly descriptors: number;
  /** Of the signal that ends the study, and of the process. */
  readonly listeners: number;
  readonly resources: number;
  /** Of the records on disk. */
  readonly recordBytes: number;
}

/** A disk in memory, where there is one: six flushes a trial would be most of the time. */
const disk = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const blocks = Number(process.argv[2]);
const plan = studyPlanSchema.parse({ workers: [2], batchSizes: [4], arms: ['off', 'mps', 'mps:50'], blocks });
const at = [0.1, 0.55, 1].map((share) => Math.round(share * blocks * plan.arms.length));

const root = mkdtempSync(join(disk, 'mpsbench-growth-'));
try {
  process.stdout.write(`${JSON.stringify(await heldByStudy())}\n`);
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function heldByStudy(): Promise<Held[]> {
  const directory = await createStudyDirectory(join(root, 'study'), requestedForm(plan));
  const { signal } = new AbortController();
  const host = fakeHost();
  const held: Held[] = [];
  let trials = 0;
  const onTrial = (): void => {
    trials += 1;
    // What the fakes themselves keep.
    for (const list of [host.events, host.loads, host.starts, host.calibrations]) list.length = 0;
    if (at.includes(trials)) held.push(heldNow(trials, signal, join(directory.path, studyFiles.trials)));
  };
  await runStudy({ plan, arms: plan.arms, parts: host.parts, directory, bodies: [] }, { signal, onTrial });
  return held;
}

function heldNow(trials: number, signal: AbortSignal, records: string): Held {
  globalThis.gc?.();
  const ofProcess = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return {
    trials,
    heapBytes: process.memoryUsage().heapUsed,
    descriptors: readdirSync('/proc/self/fd').length,
    listeners: ofProcess + getEventListeners(signal, 'abort').length,
    resources: process.getActiveResourcesInfo().length,
    recordBytes: statSync(records).size,
  };
}
