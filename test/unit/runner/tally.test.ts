/** The test command's own counting: a run that tested nothing must never look like one that passed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testFiles } from '../../runner/node-tests.ts';
import { parseOptions } from '../../runner/options.ts';
import { skipsInTap, sumOfTallies, tallyLine, tallyOfJunit, tallyOfTap } from '../../runner/tally.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-runner-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const summary = '# tests 7\n# suites 1\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 1\n';

describe('the counts of node:test', () => {
  it('are read from the end, and a cancelled test failed', () => {
    assert.deepEqual(tallyOfTap(`# pass 99\n${summary}`), { passed: 3, failed: 2, skipped: 2 });
  });

  it('are unknown where the output was cut off', () => assert.equal(tallyOfTap('TAP version 13\nok 1 - x\n'), null));

  it('name each skip with its reason', () => {
    assert.deepEqual(skipsInTap('    ok 2 - reads it # SKIP no GPU here\nok 3 - y\n'), ['reads it: no GPU here']);
  });
});

describe('the counts of ctest', () => {
  const junit = (counts: string): string => `<?xml version="1.0"?>\n<testsuite name="x"\n\t${counts}\n\ttime="0">\n`;

  it('are read from its file', () => {
    const tally = tallyOfJunit(junit('tests="6"\n\tfailures="1"\n\tdisabled="1"\n\tskipped="1"'));
    assert.deepEqual(tally, { passed: 3, failed: 1, skipped: 2 });
  });

  it('are unknown where there is no such file', () => assert.equal(tallyOfJunit(''), null));
});

describe('the closing line', () => {
  it('has passed and failed, and skipped where some were', () => {
    const one = { passed: 2, failed: 0, skipped: 0 };
    assert.equal(tallyLine(one), '2 passed, 0 failed');
    assert.equal(tallyLine(sumOfTallies([one, { passed: 1, failed: 3, skipped: 4 }])), '3 passed, 3 failed, 4 skipped');
  });
});

describe('a run of test files', () => {
  /** In a child, whose environment is the test's and whose words are nobody's failure here. */
  const run = (files: readonly string[], environment: Record<string, string> = {}): string => {
    const module = new URL('../../runner/node-tests.ts', import.meta.url).href;
    const script = join(scratch, 'run.mts');
    writeFileSync(
      script,
      `import { runTestFiles } from ${JSON.stringify(module)};
      process.stdout.write('TALLY ' + JSON.stringify(await runTestFiles(${JSON.stringify(files)})));`,
    );
    const child = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
      encoding: 'utf8',
      env: { ...environmentOutsideTests(), ...environment },
    });
    return child.stdout.split('TALLY ')[1] ?? child.stderr;
  };
  const fileOf = (name: string, content: string): string => {
    const file = join(scratch, `${name}.test.ts`);
    writeFileSync(file, content);
    return file;
  };
  const passing = "import { it } from 'node:test';\nit('works', () => {});\n";
  const skipping = "import { it } from 'node:test';\nit('has it', { skip: 'no chromium' }, () => {});\n";
  const cases: readonly (readonly [string, string, Record<string, string>, string])[] = [
    ['passes', passing, {}, '{"passed":1,"failed":0,"skipped":0}'],
    ['fails-on-import', "import './absent.ts';\n", {}, '{"passed":0,"failed":1,"skipped":0}'],
    ['fails-without-tests', 'export {};\n', {}, '{"passed":0,"failed":1,"skipped":0}'],
    ['skips', skipping, { CI: '' }, '{"passed":0,"failed":0,"skipped":1}'],
    ['fails-a-skip-in-ci', skipping, { CI: 'true' }, '{"passed":0,"failed":1,"skipped":0}'],
  ];
  for (const [name, content, environment, tally] of cases) {
    it(name.replaceAll('-', ' '), () => assert.equal(run([fileOf(name, content)], environment), tally));
  }

  it('fails without files', () => assert.equal(run([]), '{"passed":0,"failed":1,"skipped":0}'));

  it('finds this file among those of its group', () => {
    assert.ok(testFiles('unit').includes(fileURLToPath(import.meta.url)));
    assert.deepEqual(testFiles('no-such-folder'), []);
  });
});

describe('the options', () => {
  const groups = ['unit', 'device'];
  const faults: readonly (readonly [readonly string[], string])[] = [
    [['--only'], '--only needs the names of groups'],
    [['--only', 'unit,nope'], "'nope' is no group"],
    [['unit'], "unknown option 'unit'"],
  ];
  for (const [argv, fault] of faults) {
    it(`are refused as ${argv.join(' ')}`, () =>
      assert.deepEqual(parseOptions(argv, groups), { kind: 'usage', fault }));
  }

  it('make a skipped device test fail with --device', () => {
    const options = parseOptions(['--device'], groups);
    assert.deepEqual(options, { kind: 'run', only: ['device'], reuseBuilds: false, mustNotSkip: true });
  });
});

/** A test runner inside a test must not believe itself to be part of the outer one. */
function environmentOutsideTests(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_TEST')));
}
