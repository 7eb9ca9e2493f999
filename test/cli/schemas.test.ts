/** The published JSON Schemas: up to date, sound, and true of what the program really writes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { publishedSchemas } from '../../lib/cli/published-schemas.ts';
import { writeManifest } from '../../lib/records/manifest.ts';
import { validatePlan } from '../../lib/records/plan-text.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { makeStudy } from '../fixtures/study/make-study.ts';
import { StudyStage, skipStage } from '../study/study-stage.ts';
import { fakeControl, fakeCuda, fakeDriver } from './fake-host.ts';
import { finished, runCli, scratchFolder, startCli } from './run-cli.ts';

const folder = fileURLToPath(new URL('../../docs/schemas/', import.meta.url));

/** Published schemas let documents gain keys; these do not, so that a key nobody described is found. */
const validators = compiled(publishedSchemas({ strict: true }));

function compiled(schemas: Readonly<Record<string, unknown>>): ReadonlyMap<string, ValidateFunction> {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true });
  return new Map(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema as object)]));
}

function faults(name: string, document: unknown): string[] {
  const validate = validators.get(name);
  assert.ok(validate, `there is no schema ${name}`);
  validate(document);
  return (validate.errors ?? []).map(
    (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
  );
}

function assertFits(name: string, document: unknown): void {
  assert.deepEqual(faults(name, document), []);
}

describe('the published schemas', () => {
  it('are what the program reads and writes by (MPSBENCH_UPDATE_GOLDEN=1 writes them anew)', () => {
    const files = Object.entries(publishedSchemas()).map(
      ([name, schema]) => [`${name}.json`, `${JSON.stringify(schema, null, 2)}\n`] as const,
    );
    if (process.env.MPSBENCH_UPDATE_GOLDEN === '1') {
      mkdirSync(folder, { recursive: true });
      for (const [file, text] of files) writeFileSync(join(folder, file), text);
    }
    assert.deepEqual(readdirSync(folder).sort(), files.map(([file]) => file).sort());
    for (const [file, text] of files) assert.equal(readFileSync(join(folder, file), 'utf8'), text, file);
  });

  it('are sound JSON Schemas', () => {
    assert.equal(compiled(publishedSchemas()).size, validators.size);
  });

  it('refuse a document of another version, and let one of this version gain keys', () => {
    const published = compiled(publishedSchemas()).get('histograms');
    const histograms = { unit: 'ns', responseTime: '', serviceTime: '', lateness: '', warmupResponseTime: null };
    assert.equal(published?.({ schemaVersion: 1, ...histograms, later: 1 }), true);
    assert.equal(published?.({ schemaVersion: 2, ...histograms }), false);
  });
});

const plans: readonly (readonly [string, object, boolean])[] = [
  ['nothing', {}, true],
  ['text with units', { load: { duration: '1.5s', warmup: '0s' }, gpu: { foreignMemoryLimit: '64MiB' } }, true],
  ['a warm-up until the load is steady', { load: { warmup: 'auto:5s..1.5m' } }, true],
  ['a warm-up with one bound', { load: { warmup: 'auto:5s' } }, false],
  ['arms with a share', { arms: ['off', 'mps', 'mps:12.5'] }, true],
  [
    'dimensions of a model',
    { server: { kind: 'embedded', model: { layers: 2, hidden: 64, feedForward: 64, sequence: 8 } } },
    true,
  ],
  ['a bare number for a time', { load: { duration: 30 } }, false],
  ['a time without a unit', { load: { duration: '30' } }, false],
  ['a size in MB', { gpu: { foreignMemoryLimit: '64MB' } }, false],
  ['an arm that is none', { arms: ['on'] }, false],
  ['the same arm twice', { arms: ['off', 'off'] }, false],
  ['no workers', { workers: [0] }, false],
  ['duration and requests', { load: { duration: '1s', requests: 5 } }, false],
  ['a misspelt key', { batchSize: [1] }, false],
  ['a server of no kind', { server: { workload: 'cpu' } }, false],
];

describe('the schema of plans', () => {
  for (const [what, plan, valid] of plans) {
    it(`${valid ? 'accepts' : 'refuses'} ${what}, as the program does`, () => {
      assert.equal(faults('plan', plan).length === 0, valid);
      if (valid) assert.doesNotThrow(() => validatePlan(plan, () => null));
      else assert.throws(() => validatePlan(plan, () => null), { code: 'PLAN_INVALID' });
    });
  }
});

describe('the schemas are true of', () => {
  const json = async (args: readonly string[], variables: NodeJS.ProcessEnv): Promise<unknown> => {
    const { stdout, stderr } = await runCli(args, variables);
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout);
  };
  const driver = (): NodeJS.ProcessEnv =>
    fakeDriver(['gpu', 'memory 81559 480 1107', 'process 470 516 cm - - python3', 'process 473 na c - - x']);
  const noDriver = { MPSBENCH_NVML_LIBRARY: '/nonexistent/nvml.so' };

  it('probe --json', async () => {
    assertFits('probe-document', await json(['probe', '--json'], { ...driver(), ...fakeControl() }));
    assertFits('probe-document', await json(['probe', '--json', '--with-energy'], fakeDriver(['gpu', 'mig'])));
  });

  it('watch --json', async () => {
    assertFits('watch-document', await json(['watch', '--json', '--once'], { ...driver(), ...fakeControl() }));
    assertFits('watch-document', await json(['watch', '--json', '--once'], fakeDriver(['gpu', 'mig', 'memory-na'])));
  });

  it('doctor --json, with and without a driver', async () => {
    assertFits('doctor-document', await json(['doctor', '--json'], { ...driver(), ...fakeCuda(), ...fakeControl() }));
    assertFits('doctor-document', await json(['doctor', '--json'], noDriver));
  });

  it('context --json, with a limit that is found', { skip: skipStage }, async () => {
    using stage = new StudyStage();
    stage.playCuda(['mps_max_clients 2']);
    const shape = ['--clients', '1,3', '--repeats', '1', '--sharing', 'off,mps', '--find-limit'];
    const { stdout, stderr } = await stage.run(['context', '--json', ...shape]);
    assert.notEqual(stdout, '', stderr);
    assertFits('context-document', JSON.parse(stdout));
  });

  it('load --json, closed and open, with thresholds', async () => {
    await using server = await fakeServer();
    const load = (...options: string[]) => json(['load', server.url, '--json', ...options], {});
    assertFits('load-document', await load('-n', '50', '-c', '2', '--fail-if', 'p99>1s'));
    assertFits(
      'load-document',
      await load('--rate', '100', '-d', '300ms', '--warmup', '100ms', '--expect-status', '200'),
    );
    assertFits('load-document', await load('--rate', '50,100', '--step', '200ms'));
  });

  it('every line of load --json-lines', async () => {
    await using server = await fakeServer();
    const { stdout } = await runCli(['load', server.url, '-d', '300ms', '--warmup', '200ms', '--json-lines']);
    const documents: unknown[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assertFits('load-document', documents.pop());
    assert.ok(documents.length >= 2);
    for (const document of documents) assertFits('load-interval-document', document);
  });

  it('serve --json', async () => {
    const ports = ['--inference-port', '0', '--management-port', '0'];
    const child = startCli(['serve', '--workload', 'fixed:1ms', '--json', ...ports]);
    const result = finished(child);
    await once(child.stdout ?? child, 'data');
    child.kill('SIGINT');
    assertFits('serve-document', JSON.parse((await result).stdout));
  });

  it('study --dry-run --json', async () => {
    assertFits('study-schedule-document', await json(['study', '--quick', '--dry-run', '--json'], noDriver));
  });

  it('study --json and every file that it leaves', async () => {
    const out = join(scratchFolder(), 'study');
    const shape = ['--workers', '1', '--batch-size', '1', '--blocks', '1', '--duration', '500ms', '--warmup', '100ms'];
    const variables = { ...noDriver, MPSBENCH_STATE_DIR: scratchFolder() };
    const document = await json(['study', '--workload', 'fixed:5ms', ...shape, '--out', out, '--json'], variables);
    assertFits('study-document', document);
    const read = (name: string): string => readFileSync(join(out, name), 'utf8');
    assertFits('plan', parse(read('plan.yaml')));
    assertFits('environment', JSON.parse(read('environment.json')));
    assertFits('trial', JSON.parse(read('trials.jsonl')));
    assertFits('summary', JSON.parse(read('summary.json')));
    for (const kind of ['histograms', 'series'] as const) {
      const [file] = readdirSync(join(out, kind));
      assertFits(kind, JSON.parse(read(join(kind, file ?? ''))));
    }
  });

  for (const kind of ['gpu', 'broken'] as const) {
    it(`records and summary of a study on a GPU in which ${kind === 'gpu' ? 'all went well' : 'much went wrong'}`, async () => {
      const study = await makeStudy(kind, join(scratchFolder(), kind));
      for (const record of await study.readTrials()) assertFits('trial', JSON.parse(JSON.stringify(record)));
      assertFits('summary', JSON.parse(JSON.stringify(await rebuildReport(study))));
      assertFits('environment', JSON.parse(JSON.stringify(await study.readEnvironment())));
      assertFits('verification-document', await json(['verify', study.path, '--json'], {}));
      await writeManifest(study);
      assertFits('manifest', JSON.parse(readFileSync(join(study.path, 'manifest.json'), 'utf8')));
      assertFits('verification-document', await json(['verify', study.path, '--json'], {}));
    });
  }
});
