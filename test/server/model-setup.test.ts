/** Setting up a model on a server that does not do what it was asked: a scripted server on a socket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { request } from 'undici';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { checkAnswer, type ModelServer, registerModel, verifyScale } from '../../lib/server/model-setup.ts';

const wanted = {
  modelName: 'm',
  workers: 2,
  batchSize: 4,
  maxBatchDelayNs: milliseconds(20),
  signal: new AbortController().signal,
};
const timeoutNs = seconds(30);
const ready = { status: 'READY' };
const answer = '{"label":1,"score":0.5,"digest":"00000000"}';

/** Replies are given in turn, the last for ever. */
async function withReplies(
  replies: readonly (readonly [number, string])[],
  use: (server: ModelServer, requests: readonly string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const scripted = createServer((incoming, response) => {
    const [status, text] = replies[Math.min(requests.length, replies.length - 1)] ?? [200, ''];
    requests.push(`${incoming.method} ${incoming.url}`);
    incoming.resume();
    response.writeHead(status, { connection: 'close' }).end(text);
  }).listen(0, '127.0.0.1');
  await once(scripted, 'listening');
  const address = scripted.address();
  assert.ok(address !== null && typeof address === 'object');
  const url = `http://127.0.0.1:${address.port}`;
  const ask: ModelServer['ask'] = async (target, { method = 'GET', body = null }) => {
    const reply = await request(target, { method, body });
    return { status: reply.statusCode, text: await reply.body.text() };
  };
  try {
    await use({ inferenceUrl: url, managementUrl: url, ask, logTail: () => 'its log ends: last words' }, requests);
  } finally {
    scripted.close();
  }
}

describe('setting up a model', () => {
  it('asks for workers, batch size and delay in one synchronous registration', () =>
    withReplies([[200, '{}']], async (server, requests) => {
      await registerModel(server, wanted, timeoutNs);
      const query = 'url=m&model_name=m&batch_size=4&max_batch_delay=20&initial_workers=2&synchronous=true';
      assert.deepEqual(requests, [`POST /models?${query}`]);
    }));

  it('is SERVER_START_FAILED in the words of the server when the registration fails', () =>
    withReplies([[500, '{"code":500,"message":"no\\nmemory"}']], async (server) => {
      const message = 'the server has no workers: no memory; its log ends: last words';
      await assert.rejects(registerModel(server, wanted, timeoutNs), { code: 'SERVER_START_FAILED', message });
    }));

  const scales: readonly [string, unknown][] = [
    ['has fewer workers', [{ batchSize: 4, workers: [ready] }]],
    ['has more workers', [{ batchSize: 4, workers: [ready, ready, ready] }]],
    ['has a worker that is not ready', [{ batchSize: 4, workers: [ready, { status: 'UNLOADING' }] }]],
    ['has a worker too many that is not ready', [{ batchSize: 4, workers: [ready, ready, { status: 'UNLOADING' }] }]],
    ['has another batch size', [{ batchSize: 1, workers: [ready, ready] }]],
    ['has no model', []],
    ['answers something else', 'nonsense'],
  ];
  for (const [what, description] of scales) {
    it(`is SERVER_SCALE_FAILED when the server ${what}`, () =>
      withReplies([[200, JSON.stringify(description)]], async (server) => {
        const message = /^the server was asked for 2 ready workers at batch size 4 and has .*last words$/;
        await assert.rejects(verifyScale(server, wanted, timeoutNs), { code: 'SERVER_SCALE_FAILED', message });
      }));
  }

  it('believes a server that has exactly what was asked', () =>
    withReplies([[200, JSON.stringify([{ batchSize: 4, workers: [ready, ready] }])]], (server) =>
      verifyScale(server, wanted, timeoutNs),
    ));

  const answers: readonly [string, readonly (readonly [number, string])[]][] = [
    ['an error', [[500, answer]]],
    [
      'an error the second time',
      [
        [200, answer],
        [503, answer],
      ],
    ],
    [
      'another answer the second time',
      [
        [200, answer],
        [200, answer.replace('0.5', '0.6')],
      ],
    ],
    ['something that is not JSON', [[200, 'OK']]],
    ['JSON that is no answer', [[200, '{"label":-1}']]],
  ];
  for (const [what, replies] of answers) {
    it(`is SERVER_CHECK_FAILED on ${what}`, () =>
      withReplies(replies, async (server) => {
        const checking = checkAnswer(server, wanted, new Uint8Array([1]), timeoutNs);
        await assert.rejects(checking, { code: 'SERVER_CHECK_FAILED', message: /last words$/ });
      }));
  }

  it('takes the same good answer twice', () =>
    withReplies([[200, answer]], (server) => checkAnswer(server, wanted, new Uint8Array([1]), timeoutNs)));
});
