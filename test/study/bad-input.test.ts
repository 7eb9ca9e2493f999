/** What a user mistypes or forgets, and servers that misbehave under `load`: one clear line and the right exit status. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fakeServer, type Script } from '../fakes/fake-server.ts';
import { StudyStage, skipStage } from './study-stage.ts';

const plans: readonly [string, string, RegExp][] = [
  ['a wrong key', 'workers: [1]\nwokers: [2]\n', /plan\.yaml line 2: wokers: unknown key; did you mean 'workers'\?/],
  [
    'a wrong key further in',
    'load:\n  warm-up: 3s\n',
    /plan\.yaml line 2: load\.warm-up: unknown key; did you mean 'warmup'\?/,
  ],
  ['a negative number', 'workers: [1, -2]\n', /plan\.yaml line 1: workers\[1\]: must be at least 1/],
  ['an impossible percentage', 'arms: [off, "mps:150"]\n', /plan\.yaml line 1: arms\[1\]: .*150.*/],
  ['a percentage of nothing', 'arms: [off, "mps:0"]\n', /plan\.yaml line 1: arms\[1\]: .*/],
  [
    'a time without a unit',
    'load:\n  duration: 30\n',
    /plan\.yaml line 2: load\.duration: needs text with a unit, such as 30s/,
  ],
  ['broken YAML', 'workers: [1, 2\n', /plan\.yaml line \d: .*; mend the YAML there/],
];

const options: readonly [string, readonly string[], RegExp][] = [
  ['a wrong option', ['--bloks', '3'], /USAGE: .*'--bloks'.*--blocks.*/],
  ['a negative option', ['--workers', '-1'], /PLAN_INVALID: --workers.* must be at least 1.*/],
  ['an impossible percentage as an option', ['--sharing', 'mps:101'], /PLAN_INVALID: --sharing: .*101.*/],
  [
    'a plan that is not there',
    ['missing.yaml'],
    /PLAN_UNREADABLE: cannot read plan missing\.yaml: there is no such file; .*/,
  ],
  [
    'a device that is not there',
    ['--device', '7'],
    /PLAN_INVALID: gpu\.device: there is no device '7'; present: 0 \(GPU-\S+\)/,
  ],
];

describe('a study', { skip: skipStage, concurrency: 2 }, () => {
  for (const [mistake, text, line] of plans) {
    it(`ends with 2 and one line on a plan with ${mistake}`, async () => {
      using stage = new StudyStage();
      writeFileSync(join(stage.root, 'plan.yaml'), text);
      await refuses(stage, ['study', 'plan.yaml', '--out', stage.out], new RegExp(`PLAN_INVALID: ${line.source}`));
    });
  }
  for (const [mistake, given, line] of options) {
    it(`ends with 2 and one line on ${mistake}`, async () => {
      using stage = new StudyStage();
      await refuses(stage, ['study', ...given, '--out', stage.out], line);
    });
  }

  it('ends with 2 and one line when a body file is missing', async () => {
    using stage = new StudyStage();
    writeFileSync(join(stage.root, 'plan.yaml'), 'load:\n  bodies: [nothing.bin]\n');
    const line = /BODY_UNREADABLE: body 'nothing\.bin' cannot be read, no such file: check the path/;
    await refuses(stage, ['study', 'plan.yaml', '--out', stage.out], line);
  });
});

async function refuses(stage: StudyStage, args: readonly string[], line: RegExp): Promise<void> {
  const { status, stdout, stderr } = await stage.run(args);
  assert.equal(status, 2, stderr);
  assert.match(stderr, new RegExp(`^mpsbench: ${line.source}\n$`));
  assert.equal(stdout, '');
  assert.equal(existsSync(stage.out), false);
  stage.assertNothingLeft();
}

describe('mpsbench serve', { skip: skipStage }, () => {
  it('ends with 1 and one line when its port is in use', async () => {
    using stage = new StudyStage();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    assert.ok(address !== null && typeof address === 'object');
    const { status, stderr } = await stage.run([
      'serve',
      '--workload',
      'fixed:1ms',
      '--inference-port',
      `${address.port}`,
    ]);
    other.close();
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(`^mpsbench: PORT_IN_USE: port ${address.port} on 127\\.0\\.0\\.1 is in use; .*\n$`),
    );
    stage.assertNothingLeft();
  });
});

const halfBody = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf';

const servers: readonly [string, Script, number, RegExp][] = [
  ['answers 500 every time', () => ({ status: 500, body: 'model failed' }), 3, /^warning: no reply was ok.*$/m],
  [
    'answers 500 now and then',
    ({ index }) => (index % 2 === 0 ? { status: 500 } : {}),
    3,
    /^--fail-if 'errors>10%' is missed: [\d.]+ %$/m,
  ],
  ['closes half way every time', () => ({ raw: halfBody, ending: 'close' }), 3, /^warning: no reply was ok.*$/m],
  [
    'resets half way now and then',
    ({ index }) => (index % 2 === 0 ? { raw: halfBody, ending: 'reset' } : {}),
    3,
    /errors/,
  ],
];

describe('mpsbench load', { skip: skipStage }, () => {
  for (const [behaviour, script, expected, line] of servers) {
    it(`ends with ${expected} and says so of a server that ${behaviour}`, async () => {
      using stage = new StudyStage();
      await using server = await fakeServer(script);
      const args = ['load', server.url, '-n', '40', '-c', '2', '--fail-if', 'errors>10%', '--json'];
      const { status, stdout, stderr } = await stage.run(args);
      assert.equal(status, expected, stderr);
      assert.match(stderr, line);
      assert.doesNotMatch(stderr, /a bug/);
      const { outcomes } = JSON.parse(stdout).summary.measurement;
      const total = Object.values(outcomes as Record<string, number>).reduce((sum, count) => sum + count, 0);
      assert.equal(total, 40, 'every request is counted once, as what it was');
    });
  }
});
