/** What servers, drivers, plans and host names hold becomes no markup, no formula and no control of a terminal. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { AbRow } from '../../lib/analysis/ab-report.ts';
import { compareStudies } from '../../lib/analysis/compare-studies.ts';
import { trialText } from '../../lib/cli/study-progress.ts';
import { openStudyDirectory } from '../../lib/records/study-directory.ts';
import { abReportCsv } from '../../lib/report/ab-report-csv.ts';
import { recordedCommand } from '../../lib/report/command-text.ts';
import { comparisonMarkdown, comparisonText } from '../../lib/report/comparison-text.ts';
import { resultsCsv } from '../../lib/report/csv.ts';
import { type DerivedFiles, deriveFiles } from '../../lib/report/derived-files.ts';
import { readStudy } from '../../lib/report/study-on-disk.ts';
import { textReport } from '../../lib/report/text.ts';
import { hostileText, makeHostileStudy } from '../fixtures/study/hostile-study.ts';
import { makeStudy, type StudyKind } from '../fixtures/study/make-study.ts';

const root = mkdtempSync(join(tmpdir(), 'mpsbench-hostile-'));
after(() => rmSync(root, { recursive: true, force: true }));

const plain = { colour: false, width: 120 };
const kinds: readonly StudyKind[] = ['gpu', 'cpu', 'broken'];

interface Made {
  readonly path: string;
  readonly derived: DerivedFiles;
}

async function derivedFrom(path: string): Promise<Made> {
  return { path, derived: await deriveFiles(await openStudyDirectory(path)) };
}

/** Line feeds are the only control that text may have; no mark turns the direction of writing. */
function assertNoControls(text: string): void {
  const found = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.exec(text);
  assert.equal(found, null, `U+${found?.[0].codePointAt(0)?.toString(16)} at ${found?.index}`);
}

/** Names of elements, and whatever stands inside of their tags. */
function tagsOf(markup: string): { readonly names: ReadonlySet<string>; readonly insides: readonly string[] } {
  const tags = [...markup.matchAll(/<[/!]?([a-zA-Z][\w:-]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/g)];
  return { names: new Set(tags.map((tag) => tag[1] ?? '')), insides: tags.map((tag) => tag[2] ?? '') };
}

function assertOnlyOwnMarkup(markup: string, benign: string): void {
  const { names, insides } = tagsOf(markup);
  const known = tagsOf(benign).names;
  assert.deepEqual(
    [...names].filter((name) => !known.has(name)),
    [],
  );
  assert.equal(markup.split(/<(?!!\[CDATA\[)/).length - 1, insides.length, 'a "<" that begins no tag');
  for (const inside of insides) assert.doesNotMatch(inside.replaceAll(/"[^"]*"/g, '""'), /\bon\w+\s*=|&#39;|&quot;/);
}

/** Outside of code no "<", no link but to the figures; every row of a table has the cells of its head. */
function assertOnlyOwnMarkdown(text: string): void {
  const lines = text.split('\n').filter((line) => !line.startsWith('    '));
  let cells = 0;
  for (const line of lines) {
    assert.doesNotMatch(line, /</);
    assert.doesNotMatch(line, /^ {0,3}#+ heading/);
    if (!/^!\[[\w ,]+\]\(figures\/\w+\.svg\)$/.test(line)) assert.doesNotMatch(line, /(?<!\\)\]\(/);
    const found = line.startsWith('|') ? line.split(/(?<!\\)\|/).length : 0;
    if (found > 0 && cells > 0) assert.equal(found, cells, line);
    cells = found;
  }
}

describe('hostile text', () => {
  it('is put wherever a record takes any text', async () => {
    const places = await makeHostileStudy('gpu', join(root, 'places'));
    const expected = [
      'plan.name',
      'environment.host.cpuModel',
      'environment.host.kernel',
      'environment.tool.commandLine.1',
      'environment.gpu.driverVersion',
      'environment.gpu.devices.0.name',
      'trials.0.reasons.0.message',
      'trials.0.reasons.0.advice',
      'trials.0.server.description',
      'trials.0.load.errorSamples.status.0',
    ];
    assert.deepEqual(
      expected.filter((place) => !places.includes(place)),
      [],
    );
  });

  for (const kind of kinds) {
    describe(`in the ${kind} study`, async () => {
      const benignPath = join(root, `benign-${kind}`);
      const hostilePath = join(root, `hostile-${kind}`);
      await makeStudy(kind, benignPath);
      await makeHostileStudy(kind, hostilePath);
      const [benign, hostile] = [await derivedFrom(benignPath), await derivedFrom(hostilePath)];
      const files = [...hostile.derived.files].filter(([name]) => /\.(?:html|svg)$/.test(name));

      for (const [name, content] of files) {
        it(`becomes no markup of ${name}`, () => {
          assertOnlyOwnMarkup(content, benign.derived.files.get(name) ?? '');
          assertNoControls(content);
        });
      }

      it('becomes no markup of report.md', () => {
        const markdown = hostile.derived.files.get('report.md') ?? '';
        assertOnlyOwnMarkdown(markdown);
        assertNoControls(markdown);
      });

      it('becomes no formula in results.csv', () => {
        const cells = (hostile.derived.files.get('results.csv') ?? '').split(/[,\n]/);
        assert.deepEqual(
          cells.filter((cell) => /^"?[=+@\t]/.test(cell)),
          [],
        );
      });

      it('moves no cursor and begins no line on a terminal', () => {
        const text = textReport(hostile.derived.summary, plain);
        assertNoControls(text);
        assert.doesNotMatch(text, /^(?:# heading|<script>)/m);
      });

      it('becomes neither in a comparison', async () => {
        const settings = { allowed: 'all' } as const;
        const result = compareStudies(await readStudy(benign.path), await readStudy(hostile.path), settings);
        assertNoControls(comparisonText(result, plain));
        assertNoControls(comparisonMarkdown(result));
        assertOnlyOwnMarkdown(comparisonMarkdown(result));
      });
    });
  }

  it('is no formula of a spreadsheet, while negative numbers stay numbers', async () => {
    const { summary } = (await derivedFrom(join(root, 'places'))).derived;
    const [first] = summary.trials;
    assert.ok(first);
    const figures = { ...first.figures, unreleasedBytes: -5 };
    const csv = resultsCsv({ ...summary, trials: [{ ...first, trialId: '=1+1', figures }] });
    assert.match(csv, /\n'=1\+1,1,/);
    assert.match(csv, /,-5,/);
    const gpu = { utilizationPercent: null, memoryUsedBytes: null, memoryUsedPercent: null };
    const none = {
      failedRequests: 0,
      errorPercent: 0,
      throughputPerSecond: 1,
      p50Ns: 1,
      p90Ns: 1,
      p99Ns: 1,
      meanNs: 1,
    };
    const plan = {
      model: '=HYPERLINK("http://127.0.0.1")',
      body: '@SUM(A1)',
      maxBatchDelay: 0,
    } as unknown as AbRow['plan'];
    const row: AbRow = { cell: first.cell, plan, ...none, concurrency: 1, requests: 1, gpu };
    const ab = abReportCsv([row]);
    assert.match(ab, /,"'=HYPERLINK\(""http/);
    assert.match(ab, /,'@SUM\(A1\),/);
  });

  it('leaves the command that made a study in one line, to be typed again', () => {
    const commandOf = (...commandLine: string[]): string => recordedCommand({ conditions: { commandLine } } as never);
    assert.equal(commandOf('mpsbench', 'study', "it's"), "mpsbench study 'it'\\''s'");
    assert.equal(commandOf('a\nb', "it's\u001b"), "$'a\\u000ab' $'it\\'s\\u001b'");
    assertNoControls(commandOf(hostileText));
  });

  it('is harmless in the line of a trial that failed', async () => {
    const { trials } = await readStudy(join(root, 'places'));
    const [record] = trials;
    assert.ok(record);
    const reason = { code: 'check-failed', message: hostileText, advice: '' } as const;
    const line = trialText({ ...record, status: 'failed' }, 9, { state: 'INVALID', reasons: [reason], warnings: [] });
    assertNoControls(line);
    assert.doesNotMatch(line, /\n/);
  });
});
