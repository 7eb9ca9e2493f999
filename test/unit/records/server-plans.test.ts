/** What plans may say of commands and attached servers, and what of it is refused in one line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { parsePlanText, requestedForm, validatePlan } from '../../../lib/records/plan-text.ts';
import { fillPlaceholders, splitArguments } from '../../../lib/records/server-plans/argument-text.ts';

function read(text: string) {
  const document = parsePlanText(text, 'plan.yaml');
  return validatePlan(document.value, document.locate);
}

describe('a plan for a command', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no launch', '{kind: command}', /server\.launch: needs text, or a list of arguments/],
    ['an empty launch', '{kind: command, launch: "  "}', /server\.launch: names no program/],
    ['an open quote', `{kind: command, launch: "serve 'a {port}"}`, /has a ' that is not closed/],
    ['an unknown placeholder', '{kind: command, launch: "serve {prot}"}', /unknown \{prot\}; did you mean \{port\}\?/],
    ['no port', '{kind: command, launch: serve}', /server\.launch: names no \{port\}/],
    [
      'a variable of the arm',
      '{kind: command, launch: "serve {port}", environment: {CUDA_MPS_PIPE_DIRECTORY: /x}}',
      /server\.environment\.CUDA_MPS_PIPE_DIRECTORY: is set by the arm/,
    ],
    [
      'no batch size told',
      '{kind: command, launch: "serve {port}"}\nbatchSizes: [1, 4]',
      /server\.launch: tells the program no batch size: write \{batchSize\}/,
    ],
    ['a misspelt key', '{kind: command, lunch: "serve {port}"}', /unknown key; did you mean 'launch'/],
    [
      'a misspelt key of a part',
      '{kind: command, launch: "serve {port}", ready: {pth: /}}',
      /server\.ready\.pth: unknown key( \(|$)/,
    ],
    [
      'a header of two lines',
      '{kind: command, launch: "serve {port}", request: {headers: {a: "b\\nc"}}}\nbatchSizes: [1]',
      /must be one line/,
    ],
    [
      'no pattern',
      '{kind: command, launch: "serve {port}", expect: {pattern: "("}}\nbatchSizes: [1]',
      /server\.expect/,
    ],
  ];
  for (const [what, server, expected] of cases) {
    it(`with ${what} is refused in one line`, () => {
      assert.throws(
        () => read(`server: ${server}\n`),
        (error) =>
          error instanceof MpsbenchError &&
          error.code === 'PLAN_INVALID' &&
          !error.message.includes('\n') &&
          (expected.test(error.message) || assert.fail(error.message)),
      );
    });
  }

  const told: readonly (readonly [string, string])[] = [
    ['its launch', '{kind: command, launch: "serve {port} {batchSize}"}'],
    ['a variable', '{kind: command, launch: "serve {port}", environment: {BATCH: "{batchSize}"}}'],
    ['the name of our variable', '{kind: command, launch: "sh -c \'serve {port} $MPSBENCH_BATCH_SIZE\'"}'],
  ];
  for (const [what, server] of told) {
    it(`may plan batch sizes that ${what} tells`, () => {
      assert.deepEqual(read(`server: ${server}\nbatchSizes: [1, 4]\n`).batchSizes, [1, 4]);
    });
  }

  it('reads the same after it was written back', () => {
    const plan = read(
      'server: {kind: command, launch: [serve, "{port}"], stop: {timeout: 1500ms}, expect: {json: [1]}, workersUseCuda: false}\nbatchSizes: [1]\n',
    );
    assert.deepEqual(
      validatePlan(requestedForm(plan), () => null),
      plan,
    );
  });
});

describe('a plan for attached servers', () => {
  const endpoints = (text: string, rest = '') => `server: {kind: attached, endpoints: [${text}]}\n${rest}`;
  const two = '{url: "http://h:1/p", arm: off}, {url: "http://h:2/p", arm: "mps:50", workers: 2, batchSize: 4}';

  it('has the cells of its endpoints', () => {
    const plan = read(endpoints('{url: "http://h:1/p", arm: off}, {url: "http://h:2/p", arm: "mps:50"}'));
    assert.deepEqual([plan.workers, plan.batchSizes, plan.arms], [[1], [1], ['off', 'mps:50']]);
    assert.deepEqual(
      validatePlan(requestedForm(plan), () => null),
      plan,
    );
  });

  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a cell without an endpoint', endpoints(two), /has none for \{workers: 1, batchSize: 1, arm: mps:50\}; name one/],
    ['a planned arm without one', endpoints('{url: "http://h/", arm: off}', 'arms: [off, mps]'), /arm: mps\}/],
    ['no endpoints', endpoints(''), /server\.endpoints: needs an endpoint/],
    [
      'two paths for one cell',
      endpoints('{url: "http://h:1/a", arm: off, workers: 2}, {url: "http://h:2/b", arm: off, workers: 2}'),
      /endpoints\[1\]\.url: must differ from http:\/\/h:1\/a of the same cell in host and port alone/,
    ],
    [
      'fewer requests in flight than endpoints',
      endpoints(
        '{url: "http://h:1/", arm: off, workers: 2}, {url: "http://h:2/", arm: off, workers: 2}',
        'load: {concurrency: 1}',
      ),
      /load\.concurrency: 1 in flight cannot reach 2 endpoints/,
    ],
    [
      'more endpoints than workers',
      endpoints('{url: "http://h:1/", arm: off}, {url: "http://h:2/", arm: off}'),
      /endpoints\[0\]\.workers: is 1, and the cell has 2 endpoints/,
    ],
    ['no URL', endpoints('{url: "localhost:8000", arm: off}'), /must be a URL such as/],
    ['no arm', endpoints('{url: "http://h/"}'), /server\.endpoints\[0\]\.arm/],
  ];
  for (const [what, text, expected] of cases) {
    it(`with ${what} is refused`, () => {
      assert.throws(
        () => read(text),
        (error) => error instanceof MpsbenchError && (expected.test(error.message) || assert.fail(error.message)),
      );
    });
  }
});

describe('a launch text', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['  a  b\tc ', ['a', 'b', 'c']],
    [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
    [`a'b'"c"`, ['abc']],
    [`"" ''`, ['', '']],
    [`"a\\"b" 'a\\b'`, ['a"b', 'a\\b']],
    ['$HOME `ls` $(ls) a;b *', ['$HOME', '`ls`', '$(ls)', 'a;b', '*']],
  ];
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text)} is ${expected.length} words`, () => assert.deepEqual(splitArguments(text), expected));
  }

  it('has known placeholders filled in, doubled braces halved, and all other braces left', () => {
    const values = { port: '80', worker: '1', workers: '2', batchSize: '4', deviceUuid: '', logDirectory: '/l' };
    const text = '{port}:{batchSize} {{port}} {"a":{}} {logDirectory}/x {deviceUuid}';
    assert.equal(fillPlaceholders(text, values), '80:4 {port} {"a":{}} /l/x ');
  });
});

describe('a plan for a server that runs already', () => {
  const kinds = { kserve: '{kind: kserve, model: m, url: "http://h:1"', openai: '{kind: openai, url: "http://h:1"' };
  for (const [kind, server] of Object.entries(kinds)) {
    it(`of kind ${kind} cannot name its CPUs, which nobody could set`, () => {
      const scale = 'workers: [1]\nbatchSizes: [1]\narms: [off]\n';
      assert.doesNotThrow(() => read(`${scale}server: ${server}}\n`));
      assert.throws(() => read(`${scale}server: ${server}, cpus: "0-3"}\n`), {
        code: 'PLAN_INVALID',
        message: /server\.cpus: a server that runs already cannot be kept to CPUs; leave cpus out .*[^\n]$/,
      });
    });
  }
});
