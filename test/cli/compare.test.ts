/** mpsbench compare as a user and a CI job see it: golden text, Markdown and JSON, exit status, refusals. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { comparisonDocumentSchema } from '../../lib/cli/json-documents.ts';
import { studyFiles } from '../../lib/records/study-directory.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { makeStudy, type StudyKind } from '../fixtures/study/make-study.ts';
import { type CliResult, runCli, scratchFolder } from './run-cli.ts';

const golden = fileURLToPath(new URL('../golden/compare/', import.meta.url));
const root = scratchFolder();

function assertGolden(name: string, actual: string): void {
  const told = actual.replaceAll(root, '.');
  if (process.env.MPSBENCH_UPDATE_GOLDEN === '1') {
    mkdirSync(golden, { recursive: true });
    writeFileSync(join(golden, name), told);
  }
  assert.equal(told, readFileSync(join(golden, name), 'utf8'), `${name} differs; npm run golden if that is meant`);
}

async function study(
  name: string,
  kind: StudyKind = 'gpu',
  change: (trials: string) => string = (text) => text,
): Promise<string> {
  const path = join(root, name);
  await makeStudy(kind, path);
  const trials = join(path, studyFiles.trials);
  writeFileSync(trials, change(readFileSync(trials, 'utf8')));
  return path;
}

/** Every throughput of the arm times the factor. */
function slowed(arm: string, factor: number): (trials: string) => string {
  const slow = (line: string): string =>
    line.replaceAll(
      /"throughputPerSecond":([\d.]+)/g,
      (_, rate: string) => `"throughputPerSecond":${Number(rate) * factor}`,
    );
  return (trials) =>
    trials
      .split('\n')
      .map((line) => (line.includes(`"arm":"${arm}"`) ? slow(line) : line))
      .join('\n');
}

const base = await study('base');
const same = await study('same');
const slower = await study('slower', 'gpu', slowed('mps', 0.8));
const broken = await study('broken', 'broken');
const compare = (...args: string[]): Promise<CliResult> => runCli(['compare', ...args]);

describe('mpsbench compare of studies', () => {
  it('finds a regression, names its cells, and exits with 3', async () => {
    const { stdout, stderr, status } = await compare(base, slower);
    assert.deepEqual([stderr, status], ['', 3]);
    assertGolden('slower.txt', stdout);
  });

  it('exits with 0 where no regression was shown, and with --strict with 3 where none was ruled out', async () => {
    const loose = await compare(base, same);
    assert.match(loose.stdout, /\nINCONCLUSIVE: no regression /);
    const strict = await compare(base, same, '--strict');
    const wide = await compare(base, same, '--strict', '--threshold', '5%');
    assert.match(wide.stdout, /\nEQUIVALENT: throughput did not change by more than 5 % in any of 18 cells\n$/);
    assert.deepEqual([loose.status, strict.status, wide.status], [0, 3, 0]);
  });

  it('prints Markdown for the summary of a job, and JSON', async () => {
    assertGolden('slower.md', (await compare(base, slower, '--markdown')).stdout);
    const { stdout, status } = await compare(base, slower, '--json');
    const document = comparisonDocumentSchema.parse(JSON.parse(stdout));
    assert.deepEqual([document.verdict, document.cells.length, status], ['WORSE', 18, 3]);
  });

  it('refuses a study that is not whole, exits with 2, and repeats what differs when it is forced', async () => {
    const refused = await compare(base, broken);
    assert.equal(refused.status, 2);
    assertGolden('refused.txt', refused.stdout);
    assert.match(
      refused.stderr,
      /^mpsbench: USAGE: .* are not comparable: state stands against it; make them alike, .*--force\n$/,
    );
    const { stdout, status } = await compare(base, broken, '--force');
    assert.match(stdout, /^state {3}complete and valid {2}17 of 18 trials were run$/m);
    assertGolden('forced.txt', stdout);
    assert.equal(status, 0);
    assert.equal((await compare(base, broken, '--allow', 'driver, state')).status, 0);
    const document = comparisonDocumentSchema.parse(JSON.parse((await compare(base, broken, '--json')).stdout));
    assert.deepEqual([document.refused, document.verdict, document.cells], [true, null, []]);
  });
});

describe('mpsbench compare of load results', () => {
  it('takes files and folders of what load --json wrote', async () => {
    await using server = await fakeServer();
    const folders = ['before', 'after'].map((name) => join(root, name)) as [string, string];
    for (const folder of folders) {
      mkdirSync(folder);
      for (const number of [1, 2, 3]) {
        const { stdout } = await runCli(['load', server.url, '-n', '50', '-c', '2', '--json', '--no-calibrate']);
        writeFileSync(join(folder, `${number}.json`), stdout);
      }
    }
    const [before, after] = folders;
    const { stdout } = await compare(before, after, '--json', '--threshold', '99%');
    const document = comparisonDocumentSchema.parse(JSON.parse(stdout));
    assert.deepEqual([document.subject, document.refused, document.facts], ['loads', false, []]);
    assert.deepEqual([document.cells[0]?.base.count, document.cells[0]?.candidate.count], [3, 3]);
    assert.ok(document.cells[0]?.throughput?.lowerRatio !== null);

    const single = await compare(join(before, '1.json'), join(after, '1.json'));
    assert.match(single.stdout, /n too small: 1 and 1 of at least 3 on each side/);
    assert.equal(single.status, 0);
    const mixed = await compare(base, before);
    assert.equal(mixed.status, 2);
    assert.match(
      mixed.stderr,
      /^mpsbench: USAGE: .* is a study and .* is a load result: name two studies, or load results/,
    );
  });
});

describe('mpsbench compare of searches for the highest rate', () => {
  const searching = ['--rate', 'auto', '--slo', 'errors<1%', '--rate-min', '50', '--rate-max', '50', '-d', '200ms'];

  it('takes what load --rate auto --json wrote, and no load of one rate beside it', async () => {
    await using able = await fakeServer();
    await using broken = await fakeServer(() => ({ status: 503 }));
    const write = async (name: string, url: string, ...options: readonly string[]): Promise<string> => {
      const path = join(root, `${name}.json`);
      writeFileSync(path, (await runCli(['load', url, '--json', ...options])).stdout);
      return path;
    };
    // No reply of it is ever ok, so that no search depends on how busy this machine is.
    const before = await write('before', broken.url, ...searching);
    const after = await write('after', broken.url, ...searching);
    const { stdout } = await compare(before, after, '--json');
    const document = comparisonDocumentSchema.parse(JSON.parse(stdout));
    assert.deepEqual([document.subject, document.refused, document.facts], ['rate-searches', false, []]);
    const side = { count: 1, ratePerSecond: null, lowerPerSecond: 0, upperPerSecond: 50 };
    assert.deepEqual([document.highestRate?.base, document.highestRate?.candidate], [side, side]);
    const shown = await compare(before, after, '--threshold', '5%');
    assert.deepEqual([shown.status, shown.stderr], [0, '']);
    assert.match(shown.stdout, /^INCONCLUSIVE: no loss of the highest rate beyond 5 % was shown, nor ruled out$/m);
    assert.equal((await compare(before, after, '--strict')).status, 3);

    const byMetric = await compare(before, after, '--metric', 'p99');
    assert.match(byMetric.stderr, /^mpsbench: USAGE: .* compared by that rate, not by p99: leave the metric out\n$/);
    const one = await write('one', able.url, '-n', '20', '--no-calibrate');
    const mixed = await compare(before, one);
    assert.match(
      mixed.stderr,
      /^mpsbench: USAGE: .* one is a search .*: name searches on both sides, or on neither\n$/,
    );
    assert.deepEqual([byMetric.status, mixed.status], [2, 2]);
  });
});

describe('mpsbench compare with paths and options that are none', () => {
  const cases: readonly (readonly [args: readonly string[], status: number, message: RegExp])[] = [
    [[base, join(root, 'nothing')], 1, /^mpsbench: STUDY_UNREADABLE: cannot compare .*nothing: ENOENT/],
    [[base, scratchFolder()], 1, /neither a plan\.yaml nor a \.json file in it/],
    [
      [join(base, 'environment.json'), join(base, 'environment.json')],
      1,
      /^mpsbench: RECORD_SCHEMA_MISMATCH: .*load --json/,
    ],
    [[base], 2, /missing required argument 'candidate'/],
    [[base, same, '--threshold', '3'], 2, /percentage between 0 and 100 with its sign, such as 3%/],
    [[base, same, '--threshold', '0%'], 2, /percentage/],
    [[base, same, '--metric', 'mean'], 2, /throughput, p50, p99/],
  ];
  for (const [args, status, message] of cases) {
    it(`ends ${args.map((arg) => arg.replace(root, '')).join(' ')} with ${status} and one line`, async () => {
      const found = await compare(...args);
      assert.deepEqual([found.stdout, found.status], ['', status]);
      assert.match(found.stderr, message);
      assert.equal(found.stderr.trimEnd().split('\n').length, 1);
    });
  }
});
