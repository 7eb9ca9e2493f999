/** What stands beside the comparisons has a figure and a table each, which say what the summary says. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ratioText } from '../../lib/analysis/course-lines.ts';
import type { StudySummary } from '../../lib/analysis/summary-model.ts';
import { confirmationTable, noiseTable, ungatedTable } from '../../lib/report/course-tables.ts';
import { figuresOf } from '../../lib/report/figures.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { makeCourse } from '../fixtures/study/make-course.ts';

const path = mkdtempSync(join(tmpdir(), 'mpsbench-course-'));
after(() => rmSync(path, { recursive: true, force: true }));
const summary = await rebuildReport(await makeCourse(path));
const { confirmation: _, noiseFloor: __, ungated: ___, ...plainSummary } = summary;

function svgOf(name: string, of: StudySummary = summary): string | undefined {
  return figuresOf(of).find((figure) => figure.name === name)?.svg;
}

describe('noise floor, confirmation and clock gate', () => {
  const parts = [
    ['noise-floor', noiseTable, summary.noiseFloor?.cells.map(({ ratio }) => ratio)],
    [
      'confirmation',
      confirmationTable,
      [summary.confirmation?.overRunnerUp?.throughput, summary.recommendation?.overRunnerUp?.throughput],
    ],
    ['ungated', ungatedTable, summary.ungated?.flatMap(({ gated, ungated }) => [gated, ungated])],
  ] as const;

  for (const [name, table, ratios] of parts) {
    it(`have each ratio in words in the figure ${name}, and a table`, () => {
      assert.ok(ratios && ratios.length > 1);
      const svg = svgOf(name) ?? assert.fail();
      for (const ratio of ratios) assert.ok(svg.includes(ratioText(ratio ?? assert.fail())));
      const { title, rows, headings } = table(summary);
      assert.ok(rows.length > 1);
      assert.ok(rows.every((row) => row.length === headings.length && !row.includes('n/a')));
      assert.ok(readFileSync(join(path, 'report.html'), 'utf8').includes(`<h2>${title}</h2>`));
    });

    it(`have neither figure ${name} nor table in a study without`, () => {
      assert.equal(svgOf(name, plainSummary), undefined);
      assert.deepEqual(table(plainSummary).rows, []);
    });
  }

  it('say that there is no ratio where there is none', () => {
    const [first, ...rest] = summary.noiseFloor?.cells ?? [];
    assert.ok(summary.noiseFloor && first);
    const without = { ...summary, noiseFloor: { ...summary.noiseFloor, cells: [{ ...first, ratio: null }, ...rest] } };
    assert.match(svgOf('noise-floor', without) ?? '', />n\/a</);
    assert.deepEqual(noiseTable(without).rows[0]?.slice(1, 3), ['0', 'n/a']);
  });

  it('are not shown as confirmed before the fresh blocks were run', () => {
    const { confirmation } = summary;
    assert.ok(confirmation);
    const waiting: StudySummary = { ...summary, confirmation: { ...confirmation, outcome: 'not-run' } };
    assert.equal(svgOf('confirmation', waiting), undefined);
    assert.deepEqual(confirmationTable(waiting).rows, []);
  });
});
