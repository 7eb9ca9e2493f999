/** Reports of the fixture studies: golden files, the same bytes twice, and what unreadable records are told as. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StudySummary } from '../../lib/analysis/summary-model.ts';
import { MpsbenchError } from '../../lib/core/errors.ts';
import { openStudyDirectory, studyFiles } from '../../lib/records/study-directory.ts';
import { escapeHtml } from '../../lib/report/escape-html.ts';
import { textReport } from '../../lib/report/text.ts';
import { throughputFigure } from '../../lib/report/throughput-figure.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { makeStudy, type StudyKind } from '../fixtures/study/make-study.ts';

const golden = fileURLToPath(new URL('../golden/report/', import.meta.url));
const update = process.env.MPSBENCH_UPDATE_GOLDEN === '1';
const root = mkdtempSync(join(tmpdir(), 'mpsbench-report-'));
after(() => rmSync(root, { recursive: true, force: true }));

const kinds: readonly StudyKind[] = ['gpu', 'cpu', 'broken'];
const plain = { colour: false, width: 120 };

async function fresh(kind: StudyKind): Promise<string> {
  const directory = mkdtempSync(join(root, `${kind}-`));
  await makeStudy(kind, directory);
  return directory;
}

async function rebuilt(directory: string): Promise<StudySummary> {
  return rebuildReport(await openStudyDirectory(directory));
}

function files(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

function assertGolden(name: string, actual: string): void {
  if (update) writeFileSync(join(golden, name), actual);
  assert.equal(actual, readFileSync(join(golden, name), 'utf8'), `${name} differs; npm run golden if that is meant`);
}

for (const kind of kinds) {
  describe(`report of the ${kind} study`, () => {
    it('has the golden text, Markdown and CSV', async () => {
      const directory = await fresh(kind);
      const summary = await rebuilt(directory);
      const written = files(directory);
      assertGolden(`${kind}.txt`, textReport(summary, plain));
      assertGolden(`${kind}.md`, written[studyFiles.markdown] ?? '');
      assertGolden(`${kind}.csv`, written[studyFiles.results] ?? '');
    });

    it('is the same to the byte when it is rebuilt', async () => {
      const directory = await fresh(kind);
      await rebuilt(directory);
      const first = files(directory);
      await rebuilt(directory);
      assert.deepEqual(files(directory), first);
    });

    it('is one HTML file that fetches nothing', async () => {
      const directory = await fresh(kind);
      await rebuilt(directory);
      const html = readFileSync(join(directory, studyFiles.html), 'utf8');
      assert.doesNotMatch(html, /<script|<link|<img|<iframe|src=|@import|url\((?!#)/);
      assert.match(html, /<svg /);
    });
  });
}

describe('the text of a report', () => {
  const narrow = { gpu: 80, broken: 80, cpu: 80 };
  for (const [kind, width] of Object.entries(narrow) as [StudyKind, number][]) {
    it(`fits ${width} columns for the ${kind} study, says what it left out, and ends with the answer`, async () => {
      const summary = await rebuilt(await fresh(kind));
      const text = textReport(summary, { colour: false, width });
      assertGolden(`${kind}-${width}.txt`, text);
      const tooLong = text.split('\n').filter((line) => line.length > width);
      assert.deepEqual(tooLong, []);
      assert.ok(text.lastIndexOf('\n\n') < text.indexOf(summary.answer.headline.slice(0, 30)));
    });
  }

  it('shows what batches really held where one held less than 95 % of its label', async () => {
    const directory = await fresh('gpu');
    const trials = join(directory, studyFiles.trials);
    const half = readFileSync(trials, 'utf8').replaceAll('"meanRealisedBatchSize":3.88', '"meanRealisedBatchSize":2.5');
    writeFileSync(trials, half);
    const summary = await rebuilt(directory);
    assert.match(textReport(summary, plain), / arm +batch ran /);
    assert.match(
      summary.answer.cautions.join('\n'),
      /45 attempts marked \(batch-not-filled\), the first: batches held 2\.5 of 4/,
    );
    assert.match(readFileSync(join(directory, studyFiles.markdown), 'utf8'), /\| batch ran \|/);
    assert.equal(summary.trialsValid, 90);
  });
});

describe('the HTML report', () => {
  it('begins with the recommended configuration in four facts, and hides what a row repeats without losing it', async () => {
    const directory = await fresh('gpu');
    await rebuilt(directory);
    const html = readFileSync(join(directory, studyFiles.html), 'utf8');
    const facts = [...html.matchAll(/<dd class="value">([^<]+)</g)].map((match) => match[1]);
    assert.deepEqual(facts, ['mps', '1,398', '35.5 ms', '5.4 GiB']);
    assert.match(html, /<tr><td class="number again">1<\/td><td class="number again">1<\/td><td>mps:50</);
  });

  it('recolours in a dark scheme every neutral colour that the figures use', async () => {
    const directory = await fresh('gpu');
    await rebuilt(directory);
    const html = readFileSync(join(directory, studyFiles.html), 'utf8');
    const [style = ''] = /<style>.*<\/style>/s.exec(html) ?? [];
    const texts = new Set([...html.matchAll(/<text[^>]* fill="([^"]+)"/g)].map((match) => match[1]));
    assert.ok(texts.size > 0);
    for (const colour of texts) assert.ok(style.includes(`[fill="${colour}"]`), `${colour} would stay as it is`);
  });
});

describe('the explanation of a cell', () => {
  const explained = async (kind: StudyKind): Promise<readonly string[]> => {
    const directory = await fresh(kind);
    await rebuilt(directory);
    const html = readFileSync(join(directory, studyFiles.html), 'utf8');
    return [...html.matchAll(/<details class="cell">(.*?)<\/details>/gs)].map((match) => match[1] ?? '');
  };

  it('names trials, figures, rule and verdict of every cell', async () => {
    const parts = await explained('gpu');
    assert.equal(parts.length, 18);
    const part = parts.find((text) => text.includes('<summary>4 workers, batch 4, mps: BETTER</summary>')) ?? '';
    assert.match(part, /5 valid of 5 run and 5 planned trials\./);
    assert.match(
      part,
      /Over 4 workers, batch 4, off, in 5 blocks with a valid trial of both: .* ratios by block 1\.\d{3}x \[/,
    );
    assert.match(part, /Rule: .* against a threshold of 3 %\. BETTER: interval above 1 \+ 3 %/);
    assert.equal([...part.matchAll(/<tr><td>\d</g)].length, 5);
  });

  it('has void and repeated trials with their reasons, and no partner for them', async () => {
    const parts = (await explained('broken')).join('');
    assert.match(parts, /<summary>2 workers, batch 1, mps:50: INVALID<\/summary>/);
    assert.match(parts, /<td>2<\/td><td>1, repeated<\/td><td>n\/a<\/td>.*INVALID; worker-died: worker 4201 ended/);
    assert.match(parts, /No throughput: no trial is valid\./);
  });
});

describe('the throughput figure', () => {
  it('puts fewer panels into a row before its bars get too narrow to show their dots', async () => {
    const summary = await rebuilt(await fresh('gpu'));
    const columns = (batchSizes: readonly number[], arms: readonly string[]): number => {
      const { option } = throughputFigure({ ...summary, batchSizes, arms });
      return new Set((option.grid as { left: number }[]).map((grid) => grid.left)).size;
    };
    assert.equal(columns([1, 4, 16], ['off', 'mps', 'mps:50', 'mps:25']), 3);
    assert.equal(columns([1, 2, 4, 8], ['off', 'mps', 'mps:50', 'mps:25']), 2);
    assert.equal(columns([1, 2, 4, 8, 16, 32, 64, 128], ['off', 'mps', 'mps:50', 'mps:25']), 1);
  });
});

describe('a report that is rebuilt', () => {
  it('leaves no figure of an earlier state behind', async () => {
    const directory = await fresh('cpu');
    await rebuilt(directory);
    const figures = join(directory, studyFiles.figures);
    writeFileSync(join(figures, 'tradeoff.svg'), '<svg/>');
    await rebuilt(directory);
    assert.deepEqual(readdirSync(figures), ['throughput.svg']);
  });
});

describe('summary of a study', () => {
  it('is valid if every cell has a valid trial, and says what was left out without a GPU', async () => {
    const gpu = await rebuilt(await fresh('gpu'));
    const cpu = await rebuilt(await fresh('cpu'));
    assert.deepEqual([gpu.valid, gpu.complete, gpu.trialsValid], [true, true, 90]);
    assert.deepEqual(
      [cpu.valid, cpu.complete, cpu.armsLeftOut.map((left) => left.arm)],
      [true, true, ['mps', 'mps:50']],
    );
    assert.match(cpu.answer.headline, /not measured here: NVIDIA driver: no library was found/);
  });

  it('counts the last attempt of a trial and lists all', async () => {
    const { trials } = await rebuilt(await fresh('broken'));
    const repeated = trials.filter((trial) => trial.trialId === 'b02-w1-b1-off');
    assert.deepEqual(
      repeated.map((trial) => [trial.attempt, trial.counts, trial.validity.state]),
      [
        [1, false, 'INVALID'],
        [2, true, 'VALID'],
      ],
    );
  });

  it('takes no void trial into a figure', async () => {
    const { cells } = await rebuilt(await fresh('broken'));
    const unproved = cells.find((cell) => cell.cellId === 'w2-b1-mps50');
    assert.equal(unproved?.state, 'invalid');
    assert.equal(unproved.throughputPerSecond, null);
    assert.equal(unproved.unavailable.throughputPerSecond, 'no trial is valid');
    assert.equal(unproved.comparison?.verdict, 'INVALID');
  });

  it('says of memory what was measured: plain MPS took more, half the SMs less', async () => {
    const { answer } = await rebuilt(await fresh('gpu'));
    assert.ok(answer.lines.some((line) => /mps took 51\.0 MiB more; mps:50 took 1\.1 GiB less/.test(line)));
  });
});

describe('unreadable records', () => {
  const trials = (directory: string): string => join(directory, studyFiles.trials);
  const replaceFirst = (directory: string, name: string, from: string | RegExp, to: string): void => {
    const path = join(directory, name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  };
  const cases: readonly (readonly [string, (directory: string) => void, string, RegExp])[] = [
    [
      'a record of another version',
      (d) => replaceFirst(d, studyFiles.trials, '"schemaVersion":1', '"schemaVersion":9'),
      'RECORD_SCHEMA_MISMATCH',
      /trials\.jsonl line 1 .*schemaVersion/,
    ],
    [
      'a line cut in the middle of the file',
      (d) => replaceFirst(d, studyFiles.trials, /.{40}\n/, '\n'),
      'RECORD_SCHEMA_MISMATCH',
      /trials\.jsonl line 1 /,
    ],
    [
      'an environment that is no JSON',
      (d) => writeFileSync(join(d, studyFiles.environment), '{'),
      'RECORD_SCHEMA_MISMATCH',
      /environment\.json/,
    ],
    [
      'a plan with a key that is none',
      (d) => appendFileSync(join(d, studyFiles.plan), 'wrong: 1\n'),
      'RECORD_SCHEMA_MISMATCH',
      /plan\.yaml .*wrong/,
    ],
    ['no environment', (d) => rmSync(join(d, studyFiles.environment)), 'STUDY_UNREADABLE', /environment\.json/],
    ['no plan', (d) => rmSync(join(d, studyFiles.plan)), 'STUDY_UNREADABLE', /is not a study/],
  ];
  for (const [what, damage, code, message] of cases) {
    it(`tells ${what} in one line with its place`, async () => {
      const directory = await fresh('cpu');
      damage(directory);
      await assert.rejects(rebuilt(directory), (thrown: unknown) => {
        assert.ok(thrown instanceof MpsbenchError);
        assert.equal(thrown.code, code);
        assert.match(thrown.message, message);
        assert.doesNotMatch(thrown.message, /\n/);
        return true;
      });
    });
  }

  it('do not include a last line that a kill cut off', async () => {
    const directory = await fresh('cpu');
    const before = await rebuilt(directory);
    appendFileSync(trials(directory), '{"schemaVersion":1,"tri');
    assert.deepEqual(await rebuilt(directory), before);
  });

  it('include a study in which no trial was run', async () => {
    const directory = await fresh('cpu');
    rmSync(trials(directory));
    const summary = await rebuilt(directory);
    assert.deepEqual([summary.valid, summary.trialsRun, summary.recommendation], [false, 0, null]);
    assert.ok(existsSync(join(directory, studyFiles.html)));
    assert.match(textReport(summary, plain), /No answer/);
  });
});

describe('text from outside', () => {
  it('becomes no markup in HTML, Markdown or CSV', async () => {
    const directory = await fresh('cpu');
    const path = join(directory, studyFiles.plan);
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(/^name: .*$/m, 'name: "<script>alert(1)</script> | [x](y) &"'),
    );
    await rebuilt(directory);
    const written = files(directory);
    assert.doesNotMatch(written[studyFiles.html] ?? '', /<script/);
    assert.doesNotMatch(written[studyFiles.markdown] ?? '', /<script|\| \[x\]\(/);
    assert.equal(escapeHtml(`<a b="c" d='e'>&`), '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
  });
});
