/** When a study has a manifest: once it ran to its end, and never one that vouches for records it has not seen. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkRecords, readManifest } from '../../lib/records/manifest.ts';
import { studyPlanSchema } from '../../lib/records/plan.ts';
import { requestedForm } from '../../lib/records/plan-text.ts';
import { createStudyDirectory, type StudyDirectory, studyFiles } from '../../lib/records/study-directory.ts';
import { runStudy } from '../../lib/study/run-study.ts';
import { environmentOf } from '../fixtures/study/make-environment.ts';
import { fakeHost } from './fake-parts.ts';

const plan = studyPlanSchema.parse({ workers: [1], batchSizes: [1], arms: ['off', 'mps'], blocks: 1 });
const never = new AbortController().signal;

async function freshDirectory(): Promise<StudyDirectory> {
  const path = join(mkdtempSync(join(tmpdir(), 'mpsbench-manifest-')), 'study');
  const directory = await createStudyDirectory(path, requestedForm(plan));
  await directory.writeEnvironment(environmentOf('gpu'));
  return directory;
}

async function run(directory: StudyDirectory, signal = never, { parts } = fakeHost()): Promise<void> {
  await runStudy({ plan, arms: plan.arms, parts, directory, bodies: [] }, { signal });
}

const manifestPath = (directory: StudyDirectory): string => join(directory.path, studyFiles.manifest);

async function oddRecords(directory: StudyDirectory): Promise<string[]> {
  const found = await readManifest(directory.path);
  assert.ok(found);
  const checks = await checkRecords(directory.path, found.manifest);
  return checks.filter((check) => check.state !== 'same').map((check) => check.name);
}

describe('the manifest of a study', () => {
  it('holds every record once the study ran to its end', async () => {
    const directory = await freshDirectory();
    await run(directory);
    assert.deepEqual(await oddRecords(directory), []);
    const names = (await readManifest(directory.path))?.manifest.files.map((file) => file.name) ?? [];
    for (const name of [studyFiles.plan, studyFiles.environment, studyFiles.trials]) assert.ok(names.includes(name));
    assert.equal(names.filter((name) => name.startsWith('histograms/')).length, 2);
  });

  it('is not there while a study is not at its end, and comes with the resumed rest', async () => {
    const directory = await freshDirectory();
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(run(directory, stop.signal), { code: 'INTERRUPTED' });
    assert.equal(existsSync(manifestPath(directory)), false);
    await run(directory);
    assert.deepEqual(await oddRecords(directory), []);
  });

  it('goes before trials are added to a study that had one, and comes anew at its end', async () => {
    const directory = await freshDirectory();
    await run(directory);
    rmSync(join(directory.path, studyFiles.trials));
    const controller = new AbortController();
    const host = fakeHost({ abort: { step: 'load', trial: 2, controller } });
    await assert.rejects(run(directory, controller.signal, host), { code: 'INTERRUPTED' });
    assert.equal(existsSync(manifestPath(directory)), false);
    await run(directory);
    assert.deepEqual(await oddRecords(directory), []);
  });

  it('stays as it is when nothing is left to be run: a change made since is still found', async () => {
    const directory = await freshDirectory();
    await run(directory);
    appendFileSync(join(directory.path, studyFiles.environment), ' ');
    await run(directory);
    assert.deepEqual(await oddRecords(directory), [studyFiles.environment]);
  });
});
