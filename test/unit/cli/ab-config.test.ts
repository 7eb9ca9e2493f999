/** A config.json of benchmark-ab.py as a plan: what every key becomes, and what is told of those that become nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Command } from 'commander';
import { addPlanOptions, planFrom } from '../../../lib/cli/plan-options.ts';
import type { MpsbenchError } from '../../../lib/core/errors.ts';
import type { StudyPlan } from '../../../lib/records/plan.ts';

const root = mkdtempSync(join(tmpdir(), 'mpsbench-ab-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** The config of TorchServe's page on MPS, key for key. */
const page = {
  url: '/opt/serve/model_store/BERTSeqClassification',
  requests: 10000,
  concurrency: 600,
  input: '/opt/serve/sample_text_captum_input.txt',
  workers: '1',
};

async function planOf(config: unknown, options: readonly string[] = [], file?: string) {
  const path = join(root, 'config.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  const command = addPlanOptions(new Command('study')).exitOverride();
  command.parse(['--ab-config', path, ...options], { from: 'user' });
  const lines: string[] = [];
  const plan = await planFrom(command, file, (line) => void lines.push(line.replace(`${path}: `, '')));
  return { plan, lines };
}

function serverOf(plan: StudyPlan) {
  assert.equal(plan.server.kind, 'torchserve');
  return plan.server;
}

describe('--ab-config', () => {
  it("takes the page's own config", async () => {
    const { plan, lines } = await planOf(page);
    const server = serverOf(plan);
    assert.deepEqual([plan.workers, plan.batchSizes, plan.blocks], [[1], [1], 5]);
    assert.deepEqual([plan.load.requests, plan.load.concurrency, plan.load.timeout], [10000, 600, 300e9]);
    assert.deepEqual([server.model, server.modelName, server.body], [page.url, 'benchmark', page.input]);
    assert.deepEqual([server.contentType, server.maxBatchDelay, server.queueSize], ['application/jpg', 100e6, 1000]);
    assert.equal(server.responseTimeout, 300e9);
    assert.equal(server.config.number_of_netty_threads, '32');
    assert.ok(lines.includes('concurrency 600 -> load.concurrency 600'), lines.join('\n'));
    assert.ok(lines.includes('workers 1 -> workers [1]'));
    assert.ok(lines.some((line) => line.startsWith('batch_size not given, taken as 1 -> batchSizes [1]')));
  });

  it('tells of each key without a meaning why it has none, and takes values in quotes or without', async () => {
    const idle = {
      exec_env: 'docker',
      gpus: 'all',
      image: 'pytorch/torchserve:latest-gpu',
      docker_runtime: 'nvidia',
      backend_profiling: false,
      handler_profiling: 'True',
      generate_graphs: true,
      report_location: '/tmp',
      tmp_dir: '/tmp',
      result_file: 'result.txt',
      benchmark_backend: 'ab',
      test_plan: 'custom',
    };
    const { plan, lines } = await planOf({ ...page, ...idle, batch_size: '8', batch_delay: 50, requests: '2000' });
    assert.deepEqual([plan.batchSizes, plan.load.requests, serverOf(plan).maxBatchDelay], [[8], 2000, 50e6]);
    for (const key of Object.keys(idle)) {
      assert.equal(lines.filter((line) => line.startsWith(`${key}: no meaning here: `)).length, 1, key);
    }
    assert.ok(lines.some((line) => /^batch_delay 50 -> server\.maxBatchDelay "50ms" \(.*ignores/.test(line)));
  });

  it('reads files as paths and as file:// URLs, and leaves an archive on the web to TorchServe', async () => {
    const local = await planOf({ ...page, url: 'file:///store/bert.mar', input: 'file:///store/a%20b.txt' });
    assert.deepEqual([serverOf(local.plan).model, serverOf(local.plan).body], ['/store/bert.mar', '/store/a b.txt']);
    const url = 'https://torchserve.pytorch.org/mar_files/resnet-18.mar';
    assert.equal(serverOf((await planOf({ ...page, url })).plan).model, url);
  });

  it('reads the config.properties that it names, but for what a study sets itself', async () => {
    const properties = join(root, 'config.properties');
    writeFileSync(
      properties,
      '# of ours\ninference_address=http://0.0.0.0:8080\njob_queue_size=700\ndefault_response_timeout=60\nvmargs=-Xmx4g -Da=b\nmodel_store=/store\n',
    );
    const { plan, lines } = await planOf({ ...page, config_properties: properties });
    const { queueSize, responseTimeout, config } = serverOf(plan);
    assert.deepEqual([queueSize, responseTimeout, config], [700, 60e9, { vmargs: '-Xmx4g -Da=b' }]);
    const said = (text: string) => lines.filter((line) => line.endsWith(text)).length;
    assert.equal(said('inference_address=http://0.0.0.0:8080: left out: mpsbench sets it'), 1);
    assert.equal(said('model_store=/store: left out: mpsbench sets it from modelStore'), 1);
  });

  it('gives way to the options of study, and says so', async () => {
    const options = ['--workers', '1,2', '--batch-size', '1,2,4', '--sharing', 'off,mps', '--duration', '30s'];
    const { plan, lines } = await planOf(page, options);
    assert.deepEqual(
      [plan.workers, plan.batchSizes, plan.arms],
      [
        [1, 2],
        [1, 2, 4],
        ['off', 'mps'],
      ],
    );
    assert.deepEqual([plan.load.duration, plan.load.requests], [30e9, undefined]);
    assert.ok(lines.includes('workers 1: --workers takes its place'));
    assert.ok(lines.includes('requests 10000: --duration takes its place'));
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['a misspelt key', { ...page, concurency: 6 }, /concurency: unknown key; did you mean 'concurrency'\?$/],
    ['a number that is none', { ...page, workers: '1,2' }, /key 'workers': '1,2' is no whole number; mend it/],
    ['a number out of range', { ...page, workers: 0 }, /key 'workers': workers\[0\]: must be at least 1$/],
    ['a list', { ...page, batch_size: [1, 2] }, /key 'batch_size': needs one value; give lists by options/],
    ['a path that is no prediction', { ...page, inference_model_url: 'wfpredict/nmt' }, /not predictions\/NAME/],
    ['text that is no JSON', '{"url": ', /; mend the JSON there$/],
    ['JSON that is no object', '[]', /is one object of keys; this is none$/],
  ];
  for (const [what, config, message] of wrong) {
    it(`ends in one line with the file and the key for ${what}`, async () => {
      const thrown = await planOf(config).then(
        () => assert.fail('it was taken'),
        (error: MpsbenchError) => error,
      );
      assert.equal(thrown.code, 'PLAN_INVALID');
      assert.match(thrown.message, message);
      assert.match(thrown.message, /config\.json/);
      assert.doesNotMatch(thrown.message, /\n/);
    });
  }

  it('is refused beside a plan or --quick, and where a file that it names can not be read', async () => {
    await assert.rejects(planOf(page, [], 'plan.yaml'), { code: 'USAGE', message: /leave out plan\.yaml/ });
    await assert.rejects(planOf(page, ['--quick']), { code: 'USAGE', message: /leave out --quick/ });
    await assert.rejects(planOf({ config_properties: '/absent' }), { code: 'PLAN_UNREADABLE', message: /\/absent/ });
  });
});
