/** A study on disk: what survives a kill, and what is said when it cannot be written or read. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createStudyDirectory, openStudyDirectory, parseTrials } from '../../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-study-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let next = 0;
const freshPath = (): string => join(scratch, `study-${next++}`);
const asRoot = process.getuid?.() === 0 ? 'root may write anywhere' : false;

function trial(position: number, attempt = 1): TrialRecord {
  return {
    schemaVersion: 1,
    trialId: `b01-w1-b${position}-off`,
    attempt,
    block: 1,
    position,
    cell: { workers: 1, batchSize: position, arm: 'off' },
    originNs: '123456789012345',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:10.000Z',
    status: 'failed',
    reasons: [{ code: 'server-failed', message: 'it ended', advice: 'look at its log' }],
    attachment: null,
    server: null,
    load: null,
    gpu: null,
    headroom: null,
    placement: null,
    use: null,
    files: { histograms: null, series: null },
  };
}

describe('a new study directory', () => {
  it('holds the plan and gives it back', async () => {
    const path = freshPath();
    await createStudyDirectory(path, { name: 'x', workers: [1, 2] });
    const opened = await openStudyDirectory(path);
    assert.deepEqual(await opened.readPlan(), { name: 'x', workers: [1, 2] });
    assert.deepEqual(readdirSync(path).sort(), ['histograms', 'plan.yaml', 'series']);
  });

  it('has no trials yet', async () => {
    const study = await createStudyDirectory(freshPath(), {});
    assert.deepEqual(await study.readTrials(), []);
  });

  it('is refused where something else lies', async () => {
    const path = freshPath();
    const study = await createStudyDirectory(path, {});
    await assert.rejects(createStudyDirectory(path, {}), { code: 'OUTPUT_EXISTS', message: /name another with --out/ });
    await study.appendTrial(trial(1));
    await assert.rejects(createStudyDirectory(path, {}), { code: 'OUTPUT_EXISTS', message: /--resume/ });
  });

  it('is refused below a file', async () => {
    const file = freshPath();
    writeFileSync(file, '');
    await assert.rejects(createStudyDirectory(join(file, 'study'), {}), {
      code: 'OUTPUT_NOT_WRITABLE',
      message: /--out/,
    });
  });

  it('is refused where this user may not write', { skip: asRoot }, async () => {
    const parent = mkdtempSync(join(scratch, 'closed-'));
    chmodSync(parent, 0o500);
    await assert.rejects(createStudyDirectory(join(parent, 'study'), {}), { code: 'OUTPUT_NOT_WRITABLE' });
  });
});

describe('trials', () => {
  it('are appended one line each and read back as they were', async () => {
    const path = freshPath();
    const study = await createStudyDirectory(path, {});
    for (const record of [trial(1), trial(2), trial(2, 2)]) await study.appendTrial(record);
    assert.equal(readFileSync(join(path, 'trials.jsonl'), 'utf8').split('\n').length, 4);
    assert.deepEqual(await study.readTrials(), [trial(1), trial(2), trial(2, 2)]);
  });

  const whole = JSON.stringify(trial(9));
  for (const cut of [1, Math.floor(whole.length / 2), whole.length - 1]) {
    it(`survive a kill after ${cut} of ${whole.length} bytes of the next one`, async () => {
      const path = freshPath();
      const study = await createStudyDirectory(path, {});
      await study.appendTrial(trial(1));
      appendFileSync(join(path, 'trials.jsonl'), whole.slice(0, cut));
      assert.deepEqual(await study.readTrials(), [trial(1)]);
      await study.appendTrial(trial(2));
      assert.deepEqual(await study.readTrials(), [trial(1), trial(2)]);
    });
  }

  it('keep one that lacks nothing but the end of its line', async () => {
    const path = freshPath();
    const study = await createStudyDirectory(path, {});
    appendFileSync(join(path, 'trials.jsonl'), whole);
    assert.deepEqual(await study.readTrials(), [trial(9)]);
    await study.appendTrial(trial(1));
    assert.deepEqual(await study.readTrials(), [trial(9), trial(1)]);
  });

  it('survive a kill in the very first line', async () => {
    const path = freshPath();
    const study = await createStudyDirectory(path, {});
    appendFileSync(join(path, 'trials.jsonl'), whole.slice(0, 20));
    await study.appendTrial(trial(1));
    assert.deepEqual(await study.readTrials(), [trial(1)]);
  });

  it('are refused with the line that is damaged in the middle of the file', () => {
    const text = `${JSON.stringify(trial(1))}\n{"half":\n${JSON.stringify(trial(2))}\n`;
    assert.throws(() => parseTrials(text, 'trials.jsonl'), {
      code: 'RECORD_SCHEMA_MISMATCH',
      message: /^trials\.jsonl line 2 /,
    });
  });

  it('are refused when another version wrote them', () => {
    const text = `${JSON.stringify({ ...trial(1), schemaVersion: 99 })}\n`;
    assert.throws(() => parseTrials(text, 'trials.jsonl'), {
      code: 'RECORD_SCHEMA_MISMATCH',
      message: /^trials\.jsonl line 1 [^\n]*schemaVersion[^\n]*$/,
    });
  });
});

describe('a full disk', () => {
  it('is told as such, and leaves the finished trials', async () => {
    const path = freshPath();
    const study = await createStudyDirectory(path, {});
    symlinkSync('/dev/full', join(path, 'trials.jsonl'));
    await assert.rejects(study.appendTrial(trial(1)), {
      code: 'OUTPUT_NOT_WRITABLE',
      message: /trials\.jsonl: the disk is full; /,
    });
  });

  it('leaves the old content of a file that was to be replaced', async () => {
    const path = freshPath();
    const study = await createStudyDirectory(path, {});
    await study.writeFile('report.md', 'old');
    symlinkSync('/dev/full', join(path, 'report.md.partial'));
    await assert.rejects(study.writeFile('report.md', 'new'), { code: 'OUTPUT_NOT_WRITABLE' });
    assert.equal(readFileSync(join(path, 'report.md'), 'utf8'), 'old');
  });
});

describe('files of a study', () => {
  it('are whole or absent, also in folders that were not there', async () => {
    const path = freshPath();
    const study = await createStudyDirectory(path, {});
    await study.writeFile('figures/throughput.svg', '<svg/>');
    assert.equal(readFileSync(join(path, 'figures/throughput.svg'), 'utf8'), '<svg/>');
    assert.equal(existsSync(join(path, 'figures/throughput.svg.partial')), false);
  });
});

describe('a directory that is no study', () => {
  it('is refused with what is missing', async () => {
    const path = mkdtempSync(join(scratch, 'empty-'));
    await assert.rejects(openStudyDirectory(path), {
      code: 'STUDY_UNREADABLE',
      message: /is not a study: it has no readable plan\.yaml/,
    });
  });

  for (const [file, content] of [
    ['plan.yaml', 'workers: [1, 2'],
    ['environment.json', '{"half":'],
    ['environment.json', '{}'],
  ] as const) {
    it(`is refused in one line when ${file} holds ${content}`, async () => {
      const path = freshPath();
      const study = await createStudyDirectory(path, {});
      writeFileSync(join(path, file), content);
      const reading = file === 'plan.yaml' ? study.readPlan() : study.readEnvironment();
      await assert.rejects(reading, {
        code: 'RECORD_SCHEMA_MISMATCH',
        message: /^[^\n]+ is not a record of this version: [^\n]+$/,
      });
    });
  }

  it('is refused when its environment cannot be read', async () => {
    const study = await createStudyDirectory(freshPath(), {});
    await assert.rejects(study.readEnvironment(), { code: 'STUDY_UNREADABLE', message: /environment\.json/ });
  });
});
