/** Terminal, report.html, report.md and summary.json give one answer; a recorded study of a real device as well. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type StudySummary, studySummarySchema } from '../../lib/analysis/summary-model.ts';
import { openStudyDirectory, studyFiles } from '../../lib/records/study-directory.ts';
import { escapeHtml } from '../../lib/report/escape-html.ts';
import { textReport } from '../../lib/report/text.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { makeStudy } from '../fixtures/study/make-study.ts';

const recorded = fileURLToPath(new URL('../../bench/results/2026-11-22-h200-embedded/', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'mpsbench-agreement-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** As the reports show text: blanks run together, Markdown's escapes taken out. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
const unescaped = (markdown: string): string =>
  markdown
    .replaceAll(/\\([\\`*_|[\]])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');

async function assertOneAnswer(path: string): Promise<StudySummary> {
  const summary = await rebuildReport(await openStudyDirectory(path));
  const read = (name: string): string => readFileSync(join(path, name), 'utf8');
  const written = studySummarySchema.parse(JSON.parse(read(studyFiles.summary)));
  assert.deepEqual(written.answer, summary.answer);
  const terminal = flat(textReport(summary, { colour: false, width: 100 }));
  const html = flat(read(studyFiles.html));
  const markdown = flat(unescaped(read(studyFiles.markdown)));
  for (const sentence of [written.answer.headline, ...written.answer.lines, ...written.answer.cautions]) {
    assert.ok(terminal.includes(flat(sentence)), `terminal: ${sentence}`);
    assert.ok(html.includes(flat(escapeHtml(sentence))), `html: ${sentence}`);
    assert.ok(markdown.includes(flat(sentence)), `markdown: ${sentence}`);
  }
  for (const { title, text } of written.deploy) {
    assert.ok(html.includes(flat(escapeHtml(text))), `html: ${title}`);
    assert.ok(markdown.includes(flat(text)), `markdown: ${title}`);
  }
  for (const change of written.decision.changes) {
    assert.ok(html.includes(`>${escapeHtml(change.condition)}<`) && html.includes(`>${change.cellId}<`));
  }
  return written;
}

describe('the answer', () => {
  it('is one in terminal, report.html, report.md and summary.json', async () => {
    const path = join(root, 'fixture');
    await makeStudy('gpu', path);
    await assertOneAnswer(path);
  });

  it('is one for the recorded study of an H200, and its memory is what that host measured', async () => {
    const path = join(root, 'h200');
    cpSync(recorded, path, { recursive: true });
    const summary = await assertOneAnswer(path);
    assert.equal(summary.recommendation?.cellId, 'w4-b16-mps50');
    // The vendor's tool printed 612 MiB for each worker, 66 MiB for the server and 1300 MiB used in this cell.
    const ledger = summary.cells.find((cell) => cell.cellId === 'w2-b4-mps50')?.ledger;
    const { idleWorkersBytes, mpsServerBytes } = ledger?.parts ?? {};
    const bytes = [idleWorkersBytes, mpsServerBytes, ledger?.steady.deviceUsedBytes];
    assert.deepEqual(
      bytes.map((spread) => Math.round((spread?.median ?? 0) / 2 ** 20)),
      [2 * 612, 66, 1300],
    );
    assert.ok(
      summary.cells.every((cell) => cell.ledger.sum === 'closes' && cell.ledger.decisivePeakFrom === 'samples'),
    );
    const perWorker = (arm: string): number =>
      summary.workerCosts.find((cost) => cost.arm === arm && cost.batchSize === 16)?.bytesPerWorker ?? 0;
    const memory = summary.answer.lines.find((line) => line.startsWith('One more worker')) ?? '';
    for (const arm of ['off', 'mps', 'mps:50']) {
      assert.ok(memory.includes(`${(perWorker(arm) / 2 ** 20).toFixed(1)} MiB with ${arm} `), memory);
    }
    assert.ok(perWorker('off') > perWorker('mps') && perWorker('mps') > perWorker('mps:50'));
  });
});
