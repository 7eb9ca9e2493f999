/** A `context` document beside a study: the bare contexts of its ledger, for the same device and driver alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ContextArm } from '../../lib/analysis/context-cost-model.ts';
import type { LedgerContext } from '../../lib/analysis/context-document.ts';
import { openStudyDirectory, studyFiles } from '../../lib/records/study-directory.ts';
import { readSummary } from '../../lib/report/derived-files.ts';
import { environmentOf } from '../fixtures/study/make-environment.ts';
import { deviceUuid, mib } from '../fixtures/study/make-gpu.ts';
import { makeStudy } from '../fixtures/study/make-study.ts';

const root = mkdtempSync(join(tmpdir(), 'mpsbench-context-'));
after(() => rmSync(root, { recursive: true, force: true }));
const study = join(root, 'study');
await makeStudy('gpu', study);

function armOf(arm: string, processMiB: number): ContextArm {
  const bytes = processMiB * mib;
  return {
    arm,
    runs: 3,
    countedRuns: 3,
    multiprocessorCount: null,
    perClient: null,
    fixed: null,
    points: [],
    processBytes: { count: 3, min: bytes, median: bytes, max: bytes },
    mpsServerBytes: null,
    serverAloneBytes: null,
    creationAlone: null,
    creationAtOnce: null,
    againstOff: null,
  };
}
const document: LedgerContext = {
  deviceUuid,
  environment: environmentOf('gpu'),
  summary: { valid: true, arms: [armOf('off', 520), armOf('mps:50', 274)], sentences: [], findings: [] },
};

/** Bare contexts of one worker, MiB, with `content` as the file beside the study. */
async function contextsWith(content: string | null) {
  const path = join(study, studyFiles.context);
  rmSync(path, { force: true });
  if (content !== null) writeFileSync(path, content);
  const { cells } = await readSummary(await openStudyDirectory(study));
  return ['off', 'mps', 'mps50'].map((arm) => {
    const bytes = cells.find((cell) => cell.cellId === `w1-b1-${arm}`)?.ledger.parts.bareContextBytes ?? null;
    return bytes === null ? null : bytes.median / mib;
  });
}

describe('a study with a context document beside it', () => {
  it('has the bare contexts of every arm that was measured', async () => {
    assert.deepEqual(await contextsWith(null), [518, null, null]);
    assert.deepEqual(await contextsWith(JSON.stringify(document)), [520, null, 274]);
  });

  it('takes nothing from another device or another driver', async () => {
    assert.deepEqual(await contextsWith(JSON.stringify({ ...document, deviceUuid: 'GPU-other' })), [518, null, null]);
    const gpu = document.environment.gpu && { ...document.environment.gpu, driverVersion: '590.1' };
    const other = { ...document, environment: { ...document.environment, gpu } };
    assert.deepEqual(await contextsWith(JSON.stringify(other)), [518, null, null]);
  });

  it('refuses a file that is something else, and says what to do', async () => {
    for (const content of ['{"arms": []}', '{']) {
      await assert.rejects(contextsWith(content), { code: 'RECORD_SCHEMA_MISMATCH', message: /context\.json/ });
    }
  });
});
