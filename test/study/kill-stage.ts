/** A study of which one trial is done, copied for every cell of the kill table; what must be true of it at the end. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStudyDirectory } from '../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { release } from './kill-steps.ts';
import { StudyStage } from './study-stage.ts';

const options = [
  '--workers',
  '1',
  '--retries',
  '0',
  '--blocks',
  '2',
  '--warmup',
  '1ms',
  '--requests',
  '40',
  '--concurrency',
  '1',
];
const derived = ['summary.json', 'report.md', 'results.csv', 'report.html'];

/** What an undisturbed run of the same plan gives. */
export class KillTemplate implements Disposable {
  readonly directory: string;
  readonly trials: readonly TrialRecord[];
  readonly #scratch = mkdtempSync(join(tmpdir(), 'mpsbench-kill-'));

  private constructor(stage: StudyStage) {
    this.directory = join(this.#scratch, 'study');
    this.trials = stage.trials();
    cpSync(stage.out, this.directory, { recursive: true });
  }

  static async make(): Promise<KillTemplate> {
    using stage = new StudyStage();
    const { status, stderr } = await stage.run([
      'study',
      '--model',
      'tiny',
      '--batch-size',
      '1',
      '--sharing',
      'mps',
      '--out',
      stage.out,
      ...options,
    ]);
    assert.ok(status === 0 || status === 3, stderr);
    return new KillTemplate(stage);
  }

  /** The trial that is to run. */
  get trialId(): string {
    return this.trials[1]?.trialId ?? '';
  }

  get #plan(): string {
    return readFileSync(join(this.directory, 'plan.yaml'), 'utf8');
  }

  get #firstLine(): string {
    return `${readFileSync(join(this.directory, 'trials.jsonl'), 'utf8').split('\n')[0]}\n`;
  }

  /** Puts the study with its first trial there. */
  copyTo(stage: StudyStage): void {
    for (const name of ['plan.yaml', 'environment.json', 'histograms', 'series'])
      cpSync(join(this.directory, name), join(stage.out, name), { recursive: true });
    rmSync(join(stage.out, 'histograms', `${this.trialId}-1.json`));
    rmSync(join(stage.out, 'series', `${this.trialId}-1.json`));
    writeFileSync(join(stage.out, 'trials.jsonl'), this.#firstLine);
  }

  /** The host is well again, and the plan as it was. */
  restore(stage: StudyStage): void {
    release(stage, this.trialId);
    writeFileSync(join(stage.out, 'plan.yaml'), this.#plan);
  }

  assertFirstTrialIntact(stage: StudyStage): void {
    assert.ok(readFileSync(join(stage.out, 'trials.jsonl'), 'utf8').startsWith(this.#firstLine));
  }

  /** Every trial of the schedule completed once, in its place, and the report is what its records alone give. */
  async assertComplete(stage: StudyStage): Promise<void> {
    const completed = stage.trials().filter(({ status }) => status === 'completed');
    assert.deepEqual(completed.map(placeOf), this.trials.map(placeOf));
    this.assertFirstTrialIntact(stage);
    const moved = join(stage.root, 'moved');
    for (const name of ['plan.yaml', 'environment.json', 'trials.jsonl', 'histograms', 'series'])
      cpSync(join(stage.out, name), join(moved, name), { recursive: true });
    await rebuildReport(await openStudyDirectory(moved));
    for (const name of derived)
      assert.ok(readFileSync(join(moved, name)).equals(readFileSync(join(stage.out, name))), `${name} differs`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

function placeOf({ trialId, position, block, cell }: TrialRecord): object {
  return { trialId, position, block, cell };
}
