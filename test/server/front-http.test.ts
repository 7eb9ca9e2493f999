/** The HTTP contract of the embedded server: statuses, bodies and TorchServe's habits, against real workers. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { maxRequestBytes } from '../../lib/server/embedded/inference-routes.ts';
import { type FrontUnderTest, sendRaw, until, withFront } from './front-under-test.ts';

const register = '/models?url=m&model_name=m';

async function registered(under: FrontUnderTest, query: string): Promise<void> {
  const reply = await under.management('POST', `${register}&${query}`);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
}

function codeAndType(reply: { readonly body: unknown }): [number, string] {
  const { code, type, message } = reply.body as { code: number; type: string; message: string };
  assert.ok(message.length > 0);
  return [code, type];
}

describe('inference', () => {
  it('answers POST and PUT, with and without the version, and the same for the same body', () =>
    withFront({}, async (under) => {
      await registered(under, 'initial_workers=1');
      const replies = [
        await under.inference('POST', '/predictions/m', 'body'),
        await under.inference('PUT', '/predictions/m', 'body'),
        await under.inference('POST', '/predictions/m/1.0?ignored=1', 'body'),
      ];
      for (const reply of replies) {
        assert.equal(reply.status, 200);
        assert.deepEqual(reply.body, replies[0]?.body);
        assert.equal(reply.connection, 'keep-alive');
      }
      const other = await under.inference('POST', '/predictions/m', 'other body');
      assert.notDeepEqual(other.body, replies[0]?.body);
    }));

  it('is Healthy without a model', () =>
    withFront({}, async ({ inference }) => {
      assert.deepEqual((await inference('GET', '/ping')).body, { status: 'Healthy' });
    }));

  const problems: readonly [string, string, string, number, string][] = [
    ['an unknown model', 'POST', '/predictions/none', 404, 'ModelNotFoundException'],
    ['an unknown version', 'POST', '/predictions/m/2.0', 404, 'ModelVersionNotFoundException'],
    ['another method', 'GET', '/predictions/m', 405, 'MethodNotAllowedException'],
    ['another method on ping', 'POST', '/ping', 405, 'MethodNotAllowedException'],
    ['an unknown path', 'POST', '/nothing/here', 404, 'ResourceNotFoundException'],
    ['no model in the path', 'POST', '/predictions/', 404, 'ResourceNotFoundException'],
    ['a model without workers', 'POST', '/predictions/m', 503, 'ServiceUnavailableException'],
  ];
  it('tells each mistake in the form of TorchServe and closes the connection after it', () =>
    withFront({}, async (under) => {
      await registered(under, 'initial_workers=0');
      for (const [mistake, method, path, status, type] of problems) {
        const reply = await under.inference(method, path);
        assert.equal(reply.status, status, mistake);
        assert.deepEqual(codeAndType(reply), [status, type], mistake);
        assert.equal(reply.connection, 'close', mistake);
      }
    }));

  it('refuses a body above the limit and takes one of exactly the limit', () =>
    withFront({}, async (under) => {
      await registered(under, 'initial_workers=1');
      const large = await under.inference('POST', '/predictions/m', new Uint8Array(maxRequestBytes + 1));
      assert.deepEqual(codeAndType(large), [413, 'RequestEntityTooLargeException']);
      assert.equal((await under.inference('POST', '/predictions/m', new Uint8Array(maxRequestBytes))).status, 200);
    }));

  it('answers 503 to what does not fit into the queue and serves the rest', () =>
    withFront({ queueLimit: 3, fixedNs: 300e6 }, async (under) => {
      await registered(under, 'initial_workers=1');
      const requests = Array.from({ length: 8 }, () => under.inference('POST', '/predictions/m', 'x'));
      const statuses = (await Promise.all(requests)).map((reply) => reply.status).sort();
      assert.deepEqual(statuses, [200, 200, 200, 200, 503, 503, 503, 503]);
    }));

  it('gathers requests into batches and counts both', () =>
    withFront({ fixedNs: 20e6 }, async (under) => {
      await registered(under, 'initial_workers=1&batch_size=4&max_batch_delay=10000');
      const replies = await Promise.all(
        Array.from({ length: 12 }, (_, index) => under.inference('POST', '/predictions/m', `body ${index % 3}`)),
      );
      assert.ok(replies.every((reply) => reply.status === 200));
      assert.deepEqual(replies[0]?.body, replies[3]?.body, 'an answer does not depend on its place in a batch');
      const { batches, requests } = await under.facts();
      assert.deepEqual({ batches, requests }, { batches: 3, requests: 12 });
    }));

  it('closes a batch that does not fill after the delay', () =>
    withFront({}, async (under) => {
      await registered(under, 'initial_workers=1&batch_size=4&max_batch_delay=30');
      const startNs = process.hrtime.bigint();
      assert.equal((await under.inference('POST', '/predictions/m', 'alone')).status, 200);
      assert.ok(process.hrtime.bigint() - startNs >= 30_000_000n);
      assert.equal((await under.facts()).batches, 1);
    }));

  it('serves others while one client is slow with its body', () =>
    withFront({}, async (under) => {
      await registered(under, 'initial_workers=1');
      const slow = connect({ host: '127.0.0.1', port: under.front.inferencePort });
      slow.write('POST /predictions/m HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nab');
      for (let count = 0; count < 20; count++) {
        assert.equal((await under.inference('POST', '/predictions/m', 'x')).status, 200);
      }
      const answer = new Promise<string>((resolve) => slow.once('data', (chunk) => resolve(chunk.toString())));
      slow.write('cd');
      assert.match(await answer, /^HTTP\/1\.1 200 /);
      slow.destroy();
    }));

  it('lives through a client that leaves before its answer', () =>
    withFront({ fixedNs: 50e6 }, async (under) => {
      await registered(under, 'initial_workers=1');
      const leaving = connect({ host: '127.0.0.1', port: under.front.inferencePort });
      leaving.write('POST /predictions/m HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nab');
      await until('the request is with the worker', async () => (await under.facts()).batches === 1);
      leaving.destroy();
      assert.equal((await under.inference('POST', '/predictions/m', 'x')).status, 200);
    }));

  it('lives through bytes that are not HTTP', () =>
    withFront({}, async (under) => {
      await registered(under, 'initial_workers=1');
      const seed = 20_261_122;
      console.log(`seed ${seed}`);
      for (const bytes of randomRequests(seed, 60)) {
        for (const port of [under.front.inferencePort, under.front.managementPort]) {
          assert.doesNotMatch(await sendRaw(port, bytes, true), /^HTTP\/1\.1 2/);
        }
      }
      assert.equal((await under.inference('POST', '/predictions/m', 'x')).status, 200);
    }));
});

/** Noise, and requests with a few bytes of noise in their head. */
function* randomRequests(seed: number, count: number): Generator<Uint8Array> {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const head = new TextEncoder().encode('POST /predictions/none HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
  for (let round = 0; round < count; round++) {
    const bytes = round % 2 === 0 ? new Uint8Array(1 + below(2000)) : head.slice();
    const touched = round % 2 === 0 ? bytes.length : 1 + below(4);
    for (let touch = 0; touch < touched; touch++) bytes[round % 2 === 0 ? touch : below(bytes.length)] = below(256);
    yield bytes;
  }
}
