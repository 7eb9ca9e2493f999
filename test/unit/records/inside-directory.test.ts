/** Files of a study stay in its directory, whatever is in a record or lies on the disk. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
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
import { pathInside } from '../../../lib/records/inside-directory.ts';
import { createStudyDirectory, type StudyDirectory } from '../../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-inside-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const outside = join(scratch, 'outside');
mkdirSync(outside);
writeFileSync(join(outside, 'precious.txt'), 'precious');
let next = 0;
const freshStudy = (): Promise<StudyDirectory> =>
  createStudyDirectory(join(scratch, `study-${next++}`), { name: '../x' });

describe('a path inside a directory', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['report.md', true],
    ['figures/memory.svg', true],
    ['a..b/c', true],
    ['../report.md', false],
    ['figures/../../x', false],
    ['/etc/passwd', false],
    ['figures//x', false],
    ['./x', false],
    ['', false],
  ];
  for (const [name, inside] of cases) {
    it(`${inside ? 'may' : 'may not'} be '${name}'`, () => {
      assert.equal(pathInside(scratch, name), inside ? join(scratch, name) : null);
    });
  }

  it('may not pass a symbolic link, but the directory itself may be one', () => {
    const root = join(scratch, 'with-links');
    mkdirSync(root);
    symlinkSync(outside, join(root, 'figures'));
    assert.equal(pathInside(root, 'figures/memory.svg'), null);
    assert.equal(pathInside(root, 'figures'), null);
    const alias = join(scratch, 'alias');
    symlinkSync(root, alias);
    assert.equal(pathInside(alias, 'report.md'), join(alias, 'report.md'));
  });
});

describe('a study directory with links in it', () => {
  const untouched = (): void => {
    assert.deepEqual(readdirSync(outside), ['precious.txt']);
    assert.equal(readFileSync(join(outside, 'precious.txt'), 'utf8'), 'precious');
  };
  const linked = async (name: string, target = outside): Promise<StudyDirectory> => {
    const study = await freshStudy();
    rmSync(join(study.path, name), { recursive: true, force: true });
    symlinkSync(target, join(study.path, name));
    return study;
  };
  const refused = { code: 'OUTPUT_NOT_WRITABLE', message: /leads out of the study directory/ };
  const file = join(outside, 'precious.txt');
  const cases: readonly (readonly [
    what: string,
    link: string,
    target: string,
    act: (study: StudyDirectory) => unknown,
  ])[] = [
    ['removes no stale figure', 'figures', outside, (study) => study.keepOnly('figures', [])],
    ['writes no figure', 'figures', outside, (study) => study.writeFile('figures/memory.svg', 'x')],
    ['writes no report', 'report.md', file, (study) => study.writeFile('report.md', 'x')],
    ['appends no trial', 'trials.jsonl', file, (study) => study.appendTrial({} as TrialRecord)],
    ['makes no folder of logs', 'logs', outside, (study) => study.makeLogDirectory('b01-w1-b1-off', 1)],
    ['writes no histograms', 'histograms', outside, (study) => study.writeHistograms('b01', 1, {} as never)],
  ];
  for (const [what, link, target, act] of cases) {
    it(`${what} through ${link}`, async () => {
      const study = await linked(link, target);
      await assert.rejects(async () => act(study), refused);
      untouched();
    });
  }

  it('does not write through the name that half a file has', async () => {
    const study = await linked('report.md.partial', file);
    await study.writeFile('report.md', 'x');
    assert.equal(readFileSync(join(study.path, 'report.md'), 'utf8'), 'x');
    untouched();
  });

  it('reads no series that a record names outside of it', async () => {
    const study = await freshStudy();
    for (const name of ['../outside/precious.txt', join(outside, 'precious.txt')]) {
      await assert.rejects(study.readSeries(name), { code: 'RECORD_SCHEMA_MISMATCH', message: /leads out of/ });
    }
  });

  it('is not named by its plan', async () => {
    const study = await freshStudy();
    assert.deepEqual(await study.readPlan(), { name: '../x' });
    assert.equal(existsSync(join(study.path, '../x')), false);
  });
});
