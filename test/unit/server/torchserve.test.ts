/** The pure parts of the adapter of TorchServe: its files, what it reads, and what a plan may say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { parsePlanText, requestedForm, validatePlan } from '../../../lib/records/plan-text.ts';
import { torchserveServerSchema } from '../../../lib/records/server-plans/torchserve.ts';
import { configProperties, logConfiguration } from '../../../lib/server/torchserve/configuration.ts';
import { countersIn } from '../../../lib/server/torchserve/management.ts';
import { lastWorkerError, ranOutOfMemory } from '../../../lib/server/torchserve/model-log.ts';
import { fileRequirements, javaMajor, programRequirements } from '../../../lib/server/torchserve/requirements.ts';

const ports = { inference: 1, management: 2, metrics: 3, grpcInference: 4, grpcManagement: 5 };
const paths = { modelStore: '/store', metricsConfig: '/logs/metrics.yaml' };
const planOf = (changes: object = {}) =>
  torchserveServerSchema.parse({ kind: 'torchserve', model: 'm.mar', ...changes });

function read(text: string) {
  const document = parsePlanText(text, 'plan.yaml');
  return validatePlan(document.value, document.locate);
}

describe('a plan for TorchServe', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no model', '{kind: torchserve}', /server\.model: needs the path of a \.mar/],
    ['a misspelt key', '{kind: torchserve, model: m.mar, queuSize: 3}', /unknown key; did you mean 'queueSize'/],
    ['a batch delay below a millisecond', '{kind: torchserve, model: m, maxBatchDelay: 1500us}', /whole milliseconds/],
    ['a broken second', '{kind: torchserve, model: m, responseTimeout: 1500ms}', /whole seconds/],
    [
      'a key of ours in config',
      '{kind: torchserve, model: m, config: {job_queue_size: "5"}}',
      /server\.config\.job_queue_size: is set by mpsbench; use queueSize/,
    ],
    ['a key of no config', '{kind: torchserve, model: m, config: {"a b": "5"}}', /config/],
    [
      'a model name that is a path',
      '{kind: torchserve, model: m, modelName: a/b}',
      /server\.modelName: must be letters/,
    ],
  ];
  for (const [name, server, expected] of cases) {
    it(`with ${name} is refused in one line`, () => {
      assert.throws(
        () => read(`server: ${server}\n`),
        (error) => error instanceof MpsbenchError && expected.test(error.message) && !error.message.includes('\n'),
      );
    });
  }

  it('reads the same after it was written back', () => {
    const plan = read('server: {kind: torchserve, model: m.mar, maxBatchDelay: 7ms, config: {vmargs: -Xmx1g}}\n');
    assert.deepEqual(
      validatePlan(requestedForm(plan), () => null),
      plan,
    );
  });
});

describe('the files that TorchServe starts from', () => {
  it('keep it on the loopback, without tokens, without system metrics, with its queue', () => {
    const lines = configProperties(planOf({ queueSize: 7, config: { vmargs: '-Da=b\\c' } }), ports, paths, 1).split(
      '\n',
    );
    for (const line of [
      'inference_address=http://127.0.0.1:1',
      'management_address=http://127.0.0.1:2',
      'grpc_inference_port=4',
      'job_queue_size=7',
      'number_of_gpu=1',
      'disable_system_metrics=true',
      'disable_token_authorization=true',
      'enable_model_api=true',
      'metrics_mode=prometheus',
      'vmargs=-Da=b\\\\c',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });

  it('take a log path with characters that mean something in XML', () => {
    assert.match(logConfiguration('/a&"b/$c'), /fileName="\/a&amp;&quot;b\/\$\$c"/);
  });
});

describe('what TorchServe tells', () => {
  it('is a count of requests and of batches', () => {
    const text = [
      'PredictionTime_bucket{ModelName="m",Level="Model",Hostname="h",le="0.01",} 3.0',
      'PredictionTime_count{ModelName="m",Level="Model",Hostname="h",} 4.0',
      'ts_inference_requests_total{model_name="m",model_version="default",hostname="h",} 1.0E7',
    ].join('\n');
    assert.deepEqual(countersIn(text), { requests: 1e7, batches: 4 });
    assert.equal(countersIn(''), null);
  });

  const errors: readonly (readonly [string, string, string | null])[] = [
    ['nothing', '', null],
    ['an error', '… [INFO] W-9000-m_1.0-stdout - ValueError: a - b', 'ValueError: a - b'],
    [
      'an error of a module',
      '… [WARN] W-9000-m_1.0-stderr - torch.cuda.OutOfMemoryError: CUDA',
      'torch.cuda.OutOfMemoryError: CUDA',
    ],
    ['the wrapper that repeats it', '… - KeyError: 7\n… - RuntimeError: 500 - Unknown exception', 'KeyError: 7'],
    ['a line that only mentions one', '… W-9000-m_1.0-stdout -     raise ValueError("x")', null],
  ];
  for (const [what, log, expected] of errors) {
    it(`has as its workers' last error ${expected === null ? 'none' : 'that'} in ${what}`, () => {
      assert.equal(lastWorkerError(log), expected);
    });
  }

  it('is a lack of memory only where PyTorch or CUDA says so', () => {
    assert.ok(ranOutOfMemory('RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB'));
    assert.ok(!ranOutOfMemory('RuntimeError: 507 - System out of memory'));
  });
});

describe('the requirements of TorchServe', () => {
  const versions: readonly (readonly [string, number | null])[] = [
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', 17],
    ['java version "1.8.0_392"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['no java here', null],
  ];
  for (const [text, major] of versions) {
    it(`reads Java ${major} from ${text.split('\n')[0]}`, () => assert.equal(javaMajor(text), major));
  }

  it('name what is missing and how to get it', async () => {
    const plan = planOf({
      java: '/absent',
      torchserve: '/absent/torchserve',
      model: '/absent/m.mar',
      modelStore: '/absent',
    });
    const found = [...(await programRequirements(plan, new AbortController().signal)), ...fileRequirements(plan)];
    assert.deepEqual(
      found.map(({ code, met }) => [code, met]),
      [
        ['java', false],
        ['torchserve', false],
        ['model-store', false],
        ['model', false],
      ],
    );
    assert.ok(found.every(({ mend, message }) => mend !== null && !message.includes('\n')));
  });

  it('leave a URL to TorchServe itself', () => {
    assert.deepEqual(
      fileRequirements(planOf({ model: 'https://example.org/m.mar' })).map(({ met }) => met),
      [true],
    );
  });
});
