/** What `verify` finds: any byte of a record or of a derived file that was changed, with its name and place. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { writeManifest } from '../../lib/records/manifest.ts';
import { openStudyDirectory, studyFiles } from '../../lib/records/study-directory.ts';
import { firstDifference, verifyStudy } from '../../lib/report/verify-study.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { makeStudy } from '../fixtures/study/make-study.ts';

const root = mkdtempSync(join(tmpdir(), 'mpsbench-verify-'));
after(() => rmSync(root, { recursive: true, force: true }));

const original = join(root, 'original');
await makeStudy('gpu', original);
writeFileSync(join(original, studyFiles.histograms, 'b01-w1-b1-off-1.json'), '{}\n');
await writeManifest(await openStudyDirectory(original));
await rebuildReport(await openStudyDirectory(original));

let next = 0;
/** A copy of the study elsewhere, that a test may damage. */
function copy(): string {
  const directory = join(root, `copy-${next++}`);
  cpSync(original, directory, { recursive: true });
  return directory;
}

/** Turns one bit in the middle of the file. */
function turnBit(path: string): void {
  const content = readFileSync(path);
  const middle = Math.floor(content.length / 2);
  content[middle] = (content[middle] ?? 0) ^ 1;
  writeFileSync(path, content);
}

async function oddFiles(directory: string): Promise<(readonly [name: string, state: string])[]> {
  const { files } = await verifyStudy(directory);
  return files.filter((file) => file.state !== 'same').map((file) => [file.name, file.state] as const);
}

describe('verify', () => {
  it('finds nothing wrong with a study that was copied elsewhere', async () => {
    const checked = await verifyStudy(copy());
    assert.deepEqual([checked.intact, checked.manifest, checked.problem], [true, 'checked', null]);
    const records = checked.files.filter((file) => file.part === 'record').map((file) => file.name);
    const series = records.filter((name) => name.startsWith(studyFiles.series));
    assert.ok(series.length > 0);
    assert.deepEqual(
      records.filter((name) => !series.includes(name)),
      [studyFiles.environment, 'histograms/b01-w1-b1-off-1.json', studyFiles.plan, studyFiles.trials],
    );
    assert.ok(checked.files.filter((file) => file.part === 'derived').length >= 6);
  });

  const derived = [studyFiles.summary, studyFiles.results, studyFiles.markdown, studyFiles.html, 'figures/memory.svg'];
  for (const name of derived) {
    it(`finds one bit of ${name}, and nothing else`, async () => {
      const directory = copy();
      turnBit(join(directory, name));
      assert.deepEqual(await oddFiles(directory), [[name, 'changed']]);
      assert.equal((await verifyStudy(directory)).intact, false);
    });
  }

  it('finds one bit of every record', async () => {
    for (const name of [
      studyFiles.plan,
      studyFiles.environment,
      studyFiles.trials,
      'histograms/b01-w1-b1-off-1.json',
    ]) {
      const directory = copy();
      turnBit(join(directory, name));
      assert.deepEqual((await oddFiles(directory))[0], [name, 'changed']);
    }
  });

  it('names the record that was changed even if nothing can be derived from it any more', async () => {
    const directory = copy();
    writeFileSync(join(directory, studyFiles.environment), '{');
    const checked = await verifyStudy(directory);
    assert.deepEqual(await oddFiles(directory), [[studyFiles.environment, 'changed']]);
    assert.deepEqual([checked.intact, checked.problem?.code], [false, 'RECORD_SCHEMA_MISMATCH']);
  });

  it('finds files that are gone and files that came', async () => {
    const directory = copy();
    rmSync(join(directory, studyFiles.markdown));
    rmSync(join(directory, 'histograms/b01-w1-b1-off-1.json'));
    writeFileSync(join(directory, 'figures/other.svg'), '<svg/>');
    writeFileSync(join(directory, 'series/b09-w1-b1-off-1.json'), '{}');
    writeFileSync(join(directory, 'notes.txt'), 'files of other names are nobody’s business');
    assert.deepEqual(await oddFiles(directory), [
      ['histograms/b01-w1-b1-off-1.json', 'missing'],
      ['series/b09-w1-b1-off-1.json', 'unexpected'],
      [studyFiles.markdown, 'missing'],
      ['figures/other.svg', 'unexpected'],
    ]);
  });

  it('checks the derived files of a study without a manifest, and says that the records are not', async () => {
    const directory = copy();
    rmSync(join(directory, studyFiles.manifest));
    const before = await verifyStudy(directory);
    assert.deepEqual([before.intact, before.manifest, before.manifestSha256], [true, 'missing', null]);
    appendFileSync(join(directory, studyFiles.results), 'x');
    assert.deepEqual(await oddFiles(directory), [[studyFiles.results, 'changed']]);
  });

  it('does not let `report` vouch for a record that was changed', async () => {
    const directory = copy();
    const trials = join(directory, studyFiles.trials);
    writeFileSync(trials, readFileSync(trials, 'utf8').replace('"throughputPerSecond":1', '"throughputPerSecond":2'));
    await rebuildReport(await openStudyDirectory(directory));
    assert.deepEqual(await oddFiles(directory), [[studyFiles.trials, 'changed']]);
  });

  it('refuses a manifest that is none', async () => {
    const directory = copy();
    writeFileSync(join(directory, studyFiles.manifest), '{}');
    await assert.rejects(verifyStudy(directory), { code: 'RECORD_SCHEMA_MISMATCH', message: /manifest\.json/ });
  });
});

describe('the first difference of two files', () => {
  const cases: readonly (readonly [string, string, string | null])[] = [
    ['same\n', 'same\n', null],
    ['a\nbXd\n', 'a\nbcd\n', "line 2, byte 3: 'Xd·', and the records give 'cd·'"],
    ['a\n', 'a\nb\n', "line 2, byte 2: its end, and the records give 'b·'"],
    ['a\u001b[2J', 'a', "line 1, byte 1: '·[2J', and the records give its end"],
  ];
  for (const [actual, expected, text] of cases) {
    it(`of ${JSON.stringify(actual)} and ${JSON.stringify(expected)} is ${text ?? 'none'}`, () => {
      assert.equal(firstDifference(Buffer.from(actual), Buffer.from(expected)), text);
    });
  }
});
