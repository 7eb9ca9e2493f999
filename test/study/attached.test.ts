/** Trials of servers that were running already, on fake parts: what is left alone, what is proved, what is only stated. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { trialFigures } from '../../lib/analysis/trial-summary.ts';
import { judgeTrial } from '../../lib/analysis/validity.ts';
import { requestedForm, validatePlan } from '../../lib/records/plan-text.ts';
import { createStudyDirectory } from '../../lib/records/study-directory.ts';
import { runStudy } from '../../lib/study/run-study.ts';
import { type FakeOptions, fakeHost } from './fake-parts.ts';

const url = 'http://127.0.0.1:1/';
const endpoints = [
  { url, workers: 2, arm: 'off' },
  { url, workers: 2, arm: 'mps:50' },
];
const plan = validatePlan({ blocks: 1, server: { kind: 'attached', endpoints } }, () => null);
const nothingSaid = { pipeDirectory: null, mps: null, pids: [], listed: [], listedAsMps: [] };

async function run(options: FakeOptions) {
  const host = fakeHost(options);
  const path = join(mkdtempSync(join(tmpdir(), 'mpsbench-test-')), 'study');
  const directory = await createStudyDirectory(path, requestedForm(plan));
  const signal = new AbortController().signal;
  const records = await runStudy({ plan, arms: plan.arms, parts: host.parts, directory, bodies: [] }, { signal });
  const judged = records.map((record) => {
    const figures = trialFigures(record, null);
    return { record, figures, validity: judgeTrial(record, figures, plan) };
  });
  return { host, judged };
}

describe('a trial of an attached server', () => {
  it('starts no daemon, sets no variable, and tells the adapter its arm', async () => {
    const { host } = await run({ attached: nothingSaid });
    assert.deepEqual(
      host.events.filter((event) => /daemon|mps/.test(event)),
      [],
    );
    assert.deepEqual(host.starts.map(({ arm, environment }) => [arm, environment]).sort(), [
      ['mps:50', {}],
      ['off', {}],
    ]);
  });

  it('is used with a warning where nobody could be asked, with a GPU and without', async () => {
    for (const gpu of [true, false]) {
      const { judged } = await run({ gpu, attached: nothingSaid });
      for (const { record, validity } of judged) {
        assert.equal(record.server?.attached, true);
        assert.deepEqual([validity.state, validity.reasons], ['VALID', []]);
        assert.deepEqual(
          validity.warnings.map(({ code }) => code),
          ['attachment-stated'],
        );
        assert.match(validity.warnings[0]?.message ?? '', /as stated by the user, not proved/);
      }
    }
  });

  it('is proved by the driver and by the named daemon, and says what its workers hold and what is not known', async () => {
    const mps = { serverPids: [455], clientPids: [7, 8] };
    const attached = { pipeDirectory: '/theirs', mps, pids: [7, 8], listed: [7, 8], listedAsMps: [7, 8] };
    const { host, judged } = await run({ attached, foreignBytes: 2 ** 30 });
    assert.ok(host.events.includes('foreign clients of /theirs'));
    const shared = judged.find(({ record }) => record.cell.arm === 'mps:50');
    assert.deepEqual(shared?.validity, { state: 'VALID', reasons: [], warnings: [] });
    assert.equal(shared?.record.attachment?.proved, true);
    assert.deepEqual(shared?.record.attachment?.mpsServerPids, [455]);
    const memory = shared?.figures.loadedMemory;
    assert.equal(memory?.workersBytes, 2 * 518 * 2 ** 20);
    assert.equal(memory?.deviceUsedBytes, null);
    assert.equal(memory?.foreignBytes, null);
    assert.match(memory?.unavailable.deviceUsedBytes ?? '', /ran before the trial/);
    // The same workers are no workers of an arm without MPS.
    const off = judged.find(({ record }) => record.cell.arm === 'off');
    assert.equal(off?.record.reasons[0]?.code, 'attachment-not-proved');
    assert.equal(off?.record.status, 'failed');
  });
});
