/** The pure parts of the adapter of the Open Inference Protocol: plan, requests, tensors and configurations. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { randomStream } from '../../../lib/core/random.ts';
import { restartOf } from '../../../lib/records/plan.ts';
import { parsePlanText, requestedForm, validatePlan } from '../../../lib/records/plan-text.ts';
import { kserveServerSchema, scaleControlOf } from '../../../lib/records/server-plans/kserve.ts';
import { inferRequests, jsonLengthHeader } from '../../../lib/server/kserve/infer-requests.ts';
import { jsonLengthOf } from '../../../lib/server/kserve/json-head.ts';
import { configAt, scaleProblem } from '../../../lib/server/kserve/model-config.ts';
import { type Datatype, datatypes, drawValues, packValues } from '../../../lib/server/kserve/tensor-data.ts';

const planOf = (changes: object = {}) =>
  kserveServerSchema.parse({ kind: 'kserve', launch: 'triton', model: 'm', ...changes });

function read(text: string) {
  const document = parsePlanText(text, 'plan.yaml');
  return validatePlan(document.value, document.locate);
}

describe('a plan for the Open Inference Protocol', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no model', '{kind: kserve, launch: triton}', /server\.model: needs text/],
    ['neither launch nor url', '{kind: kserve, model: m}', /server\.launch: name either launch .* neither is given/],
    ['both launch and url', '{kind: kserve, model: m, launch: a, url: "http://h:1"}', /both are given/],
    ['a quote that is open', '{kind: kserve, model: m, launch: "a \'b"}', /server\.launch: has a ' that is not closed/],
    [
      'several arms of one running server',
      '{kind: kserve, model: m, url: "http://h:1"}',
      /arms: of a server that runs already/,
    ],
    [
      'several of one running server',
      '{kind: kserve, model: m, url: "http://h:1", processes: per-worker}',
      /server\.processes/,
    ],
    ['a url that is none', '{kind: kserve, model: m, url: "h:1"}', /server\.url: must be a base URL/],
    ['a model that is a path', '{kind: kserve, model: a/b, launch: a}', /server\.model: must be one word/],
    ['a misspelt key', '{kind: kserve, model: m, lanch: a}', /did you mean 'launch'/],
    ['a shape of nothing', '{kind: kserve, model: m, launch: a, shapes: {x: [0]}}', /shapes/],
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
    const plan = read('server: {kind: kserve, model: m, launch: [triton, a b], shapes: {x: [1, 8]}, bodies: [f]}\n');
    assert.deepEqual(
      validatePlan(requestedForm(plan), () => null),
      plan,
    );
  });

  const controls: readonly (readonly [string, object, string, string])[] = [
    ['a placeholder in the command line', { launch: 'triton --n {workers}' }, 'launch', 'trial'],
    ['a placeholder in a word', { launch: ['triton', '--b={batchSize}'] }, 'launch', 'trial'],
    ['a placeholder in a variable', { environment: { N: '{workers}' } }, 'launch', 'trial'],
    ['a port alone', { launch: 'triton --http-port {port}' }, 'repository', 'arm'],
    ['a word of its own', { launch: 'triton {workers}', control: 'repository' }, 'repository', 'arm'],
  ];
  for (const [what, changes, control, restart] of controls) {
    it(`with ${what} sets the scale by the ${control} and is started for each ${restart}`, () => {
      const server = planOf(changes);
      assert.equal(scaleControlOf(server), control);
      assert.equal(restartOf({ restart: 'auto', server }), restart);
    });
  }
});

describe('a made-up tensor', () => {
  const packed: readonly (readonly [Datatype, number | string | boolean, string])[] = [
    ['BOOL', true, '01'],
    ['UINT8', 99, '63'],
    ['INT16', 99, '6300'],
    ['UINT32', 1, '01000000'],
    ['INT64', 2, '0200000000000000'],
    // 0.75 = 1.1b x 2^-1: sign 0, exponent 14, fraction 0.5
    ['FP16', 0.75, '003a'],
    ['FP16', 0, '0000'],
    ['FP16', 1 / 256, '001c'],
    ['BF16', 0.75, '403f'],
    ['FP32', 0.75, '0000403f'],
    ['FP64', 0.75, '000000000000e83f'],
    ['BYTES', 'ab', '020000006162'],
  ];
  for (const [datatype, value, hex] of packed) {
    it(`holds the ${datatype} ${value} as ${hex}`, () => {
      assert.equal(Buffer.from(packValues(datatype, [value])).toString('hex'), hex);
    });
  }

  for (const datatype of datatypes) {
    it(`of ${datatype} is the same for the same seed`, () => {
      const draw = (seed: number) => drawValues(datatype, 64, randomStream(seed, 'payload'));
      assert.deepEqual(draw(7), draw(7));
      assert.notDeepEqual(draw(7), draw(8));
    });
  }
});

const model = {
  name: 'm',
  platform: '',
  inputs: [
    { name: 'ids', datatype: 'INT64' as const, shape: [-1, 4] },
    { name: 'text', datatype: 'BYTES' as const, shape: [-1, 1] },
  ],
};

describe('the requests of a model', () => {
  it('are JSON of its inputs with a batch of one', () => {
    const { headers, bodies } = inferRequests(planOf(), model);
    assert.deepEqual(headers, { 'content-type': 'application/json' });
    assert.equal(bodies.length, 8);
    const { inputs } = JSON.parse(Buffer.from(bodies[0] as Uint8Array).toString());
    assert.deepEqual(
      inputs.map(({ name, shape, data }: { name: string; shape: number[]; data: unknown[] }) => [
        name,
        shape,
        data.length,
      ]),
      [
        ['ids', [1, 4], 4],
        ['text', [1, 1], 1],
      ],
    );
  });

  it('have one JSON length in binary, whatever the tensors behind it', () => {
    const { headers, bodies } = inferRequests(planOf({ encoding: 'binary' }), model);
    const length = Number(headers[jsonLengthHeader]);
    for (const body of bodies) {
      const { inputs } = JSON.parse(Buffer.from(body.subarray(0, length)).toString());
      const sizes = inputs.map(
        (input: { parameters: { binary_data_size: number } }) => input.parameters.binary_data_size,
      );
      assert.equal(sizes[0], 32);
      assert.equal(body.length, length + sizes[0] + sizes[1]);
    }
  });

  it('need to be told a length that the model leaves open', () => {
    const open = { ...model, inputs: [{ name: 'ids', datatype: 'INT64' as const, shape: [-1, -1] }] };
    assert.throws(() => inferRequests(planOf(), open), { code: 'SERVER_CHECK_FAILED', message: /server\.shapes/ });
    const told = inferRequests(planOf({ shapes: { ids: [1, 7] } }), open);
    assert.match(Buffer.from(told.bodies[0] as Uint8Array).toString(), /"shape":\[1,7\]/);
  });

  it('cannot hold FP16 in JSON', () => {
    const half = { ...model, inputs: [{ name: 'x', datatype: 'FP16' as const, shape: [2] }] };
    assert.throws(() => inferRequests(planOf(), half), { code: 'SERVER_CHECK_FAILED', message: /server\.encoding/ });
    assert.equal(inferRequests(planOf({ encoding: 'binary' }), half).bodies.length, 8);
  });

  it("are the user's files as they are, in binary brought to one JSON length", () => {
    const directory = mkdtempSync(join(tmpdir(), 'mpsbench-kserve-'));
    try {
      const texts = ['{"a":"}{\\""}XY', '{"b":{}}Z'];
      const files = texts.map((_, index) => join(directory, `${index}`));
      files.forEach((file, index) => {
        writeFileSync(file, texts[index] as string);
      });
      const json = inferRequests(planOf({ bodies: files }), model);
      assert.deepEqual(
        json.bodies.map((body) => Buffer.from(body).toString()),
        texts,
      );
      const { headers, bodies } = inferRequests(planOf({ bodies: files, encoding: 'binary' }), model);
      assert.equal(headers[jsonLengthHeader], '12');
      assert.deepEqual(
        bodies.map((body) => Buffer.from(body).toString()),
        ['{"a":"}{\\""}XY', '{"b":{}}    Z'],
      );
      writeFileSync(files[0] as string, 'no JSON');
      assert.throws(() => inferRequests(planOf({ bodies: files, encoding: 'binary' }), model), {
        code: 'BODY_UNREADABLE',
      });
      assert.throws(() => inferRequests(planOf({ bodies: ['/absent'] }), model), { code: 'BODY_UNREADABLE' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

it('the JSON before tensors ends where its outer brace does, for any JSON and any tensor', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(object, fc.uint8Array({ maxLength: 32 }), (value, tensor) => {
      const json = Buffer.from(JSON.stringify(value));
      assert.equal(jsonLengthOf(Buffer.concat([json, tensor])), json.length);
    }),
  );
  assert.equal(jsonLengthOf(Buffer.from('{"a":')), null);
  assert.equal(jsonLengthOf(Buffer.from('[]')), null);
});

describe("a model's configuration", () => {
  const config = {
    name: 'm',
    max_batch_size: 8,
    dynamic_batching: { max_queue_delay_microseconds: 5, preferred_batch_size: [4, 8] },
    instance_group: [{ name: 'm_0', kind: 'KIND_GPU', count: 1, gpus: [0] }],
    parameters: { kept: {} },
  };

  it('is changed in scale alone', () => {
    assert.deepEqual(configAt(config, { workers: 3, batchSize: 2 }), {
      ...config,
      max_batch_size: 2,
      dynamic_batching: { max_queue_delay_microseconds: 5, preferred_batch_size: [2] },
      instance_group: [{ name: 'm_0', kind: 'KIND_GPU', count: 3, gpus: [0] }],
    });
  });

  const scales: readonly (readonly [string, object, object, boolean])[] = [
    ['the same', {}, { workers: 1, batchSize: 8 }, true],
    ['other instances', {}, { workers: 2, batchSize: 8 }, false],
    ['another batch size', {}, { workers: 1, batchSize: 4 }, false],
    ['no batching and a batch of one', { max_batch_size: 0 }, { workers: 1, batchSize: 1 }, true],
    ['no batching and a batch of two', { max_batch_size: 0 }, { workers: 1, batchSize: 2 }, false],
    [
      'one instance on each of two devices',
      { instance_group: [{ count: 1, gpus: [0, 1] }] },
      { workers: 2, batchSize: 8 },
      true,
    ],
  ];
  for (const [what, changes, scale, fits] of scales) {
    it(`with ${what} ${fits ? 'is' : 'is not'} the scale of the cell`, () => {
      const problem = scaleProblem({ ...config, ...changes }, scale as { workers: number; batchSize: number });
      assert.equal(problem === null, fits, problem ?? '');
    });
  }
});
