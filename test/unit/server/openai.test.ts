/** Plans for text servers, and the requests that are made of their prompts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { parsePlanText, requestedForm, validatePlan } from '../../../lib/records/plan-text.ts';
import { openaiServerSchema } from '../../../lib/records/server-plans/openai.ts';
import { textRequests } from '../../../lib/server/openai/prompts.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-prompts-'));
after(() => rmSync(scratch, { recursive: true }));

const planOf = (changes: object = {}) => openaiServerSchema.parse({ kind: 'openai', launch: 'vllm', ...changes });

function read(text: string) {
  const document = parsePlanText(text, 'plan.yaml');
  return validatePlan(document.value, document.locate);
}

function requests(changes: object): Record<string, unknown>[] {
  return textRequests(planOf(changes), 'm').map((body) => JSON.parse(Buffer.from(body).toString()));
}

function promptFile(text: string): string {
  const file = join(mkdtempSync(join(scratch, 'p-')), 'prompts.jsonl');
  writeFileSync(file, text);
  return file;
}

describe('a plan for a text server', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no start', 'server: {kind: openai}', /server\.launch: name either launch/],
    [
      'batch sizes that it is not told',
      'server: {kind: openai, launch: "vllm {port}"}',
      /server\.launch: tells the program no batch size/,
    ],
    [
      'lengths the wrong way round',
      'batchSizes: [1]\nserver: {kind: openai, launch: v, outputTokens: [9, 3]}',
      /outputTokens: must be \[least, most\]/,
    ],
    ['another API', 'server: {kind: openai, launch: v, api: embeddings}', /server\.api/],
  ];
  for (const [name, text, expected] of cases) {
    it(`with ${name} is refused in one line`, () => {
      assert.throws(
        () => read(`${text}\n`),
        (error) => error instanceof MpsbenchError && expected.test(error.message) && !error.message.includes('\n'),
      );
    });
  }

  it('reads the same after it was written back', () => {
    const plan = read(
      'server: {kind: openai, launch: "vllm --max-num-seqs {batchSize}", parameters: {temperature: 0}}\n',
    );
    assert.deepEqual(
      validatePlan(requestedForm(plan), () => null),
      plan,
    );
  });
});

describe('the requests of a text server', () => {
  it('have made-up prompts within the lengths asked for, the same for the same seed', () => {
    const changes = { promptWords: [3, 5], outputTokens: [7, 9], seed: 4 };
    const made = requests(changes);
    assert.equal(made.length, 64);
    for (const request of made) {
      const { model, max_tokens, stream, stream_options, messages } = request as {
        model: string;
        max_tokens: number;
        stream: boolean;
        stream_options: object;
        messages: { role: string; content: string }[];
      };
      assert.equal(model, 'm');
      assert.ok(max_tokens >= 7 && max_tokens <= 9);
      assert.equal(stream, true);
      assert.deepEqual(stream_options, { include_usage: true });
      const words = messages[0]?.content.split(' ').length ?? 0;
      assert.ok(words >= 3 && words <= 5, `${words} words`);
    }
    assert.deepEqual(requests(changes), made);
    assert.notDeepEqual(requests({ ...changes, seed: 5 }), made);
  });

  it('have the prompts of a file, whose own fields win', () => {
    const prompts = promptFile(
      '{"prompt": "one"}\n\n{"messages": [{"role": "user", "content": "two"}], "max_tokens": 1}\n',
    );
    const [first, second] = requests({ prompts, parameters: { temperature: 0, max_tokens: 5 } });
    assert.deepEqual(first?.messages, [{ role: 'user', content: 'one' }]);
    assert.equal(first?.temperature, 0);
    assert.equal(first?.max_tokens, 5);
    assert.equal(second?.max_tokens, 1);
    const [completion] = requests({ prompts: promptFile('{"prompt": "one"}'), api: 'completions' });
    assert.equal(completion?.prompt, 'one');
    assert.equal(completion?.messages, undefined);
  });

  const broken: readonly (readonly [string, string, string, RegExp])[] = [
    ['no JSON', '{"prompt": "a"}\noops', 'chat', /line 2 is no prompt/],
    ['no prompt', '{"text": "a"}', 'chat', /line 1 is no prompt/],
    [
      'messages for completions',
      '{"messages": [{"role": "user"}]}',
      'completions',
      /line 1 is no prompt; write \{"prompt"/,
    ],
    ['nothing', '\n', 'chat', /holds no prompt/],
  ];
  for (const [what, text, api, message] of broken) {
    it(`are not made of a file with ${what}`, () => {
      assert.throws(() => requests({ prompts: promptFile(text), api }), { code: 'BODY_UNREADABLE', message });
    });
  }

  it('are not made of a file that is not there', () => {
    assert.throws(() => requests({ prompts: '/absent' }), { code: 'BODY_UNREADABLE', message: /server\.prompts/ });
  });
});
