/** The table of tokens: a study on disk whose replies were streams has it, any other has not. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TokenSummary } from '../../../lib/records/load.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { rebuildReport } from '../../../lib/report/write-report.ts';
import { makeStudy, trialsOf } from '../../fixtures/study/make-study.ts';

const span = (ms: number) => {
  const ns = ms * 1e6;
  return { count: 10_000, meanNs: ns, minNs: ns, p50Ns: ns, p90Ns: ns, p99Ns: ns, p999Ns: ns, maxNs: ns };
};
const tokens: TokenSummary = {
  replies: 10_000,
  outputTokens: 40_000,
  countedBy: 'usage',
  outputTokensPerSecond: 4000,
  timeToFirstToken: span(25),
  interToken: span(7),
  timePerOutputToken: span(8),
};

function streamed(record: TrialRecord): TrialRecord {
  assert.ok(record.load);
  return { ...record, attempt: 2, load: { ...record.load, tokens } };
}

async function reportOf(records: readonly TrialRecord[]): Promise<string> {
  const study = await makeStudy('cpu', join(mkdtempSync(join(tmpdir(), 'mpsbench-tokens-')), 'study'));
  for (const record of records) await study.appendTrial(record);
  await rebuildReport(study);
  return readFileSync(join(study.path, 'report.md'), 'utf8');
}

describe('the table of tokens', () => {
  it('has a row for each cell whose replies were streams', async () => {
    const report = await reportOf(trialsOf('cpu').map(streamed));
    const table = report.slice(report.indexOf('## Tokens'));
    assert.match(table, /^## Tokens/);
    assert.match(table, /\| w\d+-b\d+-off \| 4,000(\.0)? \| 25\.0 ms \| 25\.0 ms \| 8\.00 ms \| 7\.00 ms \|/);
  });

  it('is left out of a study without streams', async () => {
    assert.doesNotMatch(await reportOf([]), /## Tokens/);
  });
});
