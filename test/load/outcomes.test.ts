/** How each way of answering is counted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codeOf } from '../../lib/core/errors.ts';
import { type Outcome, outcomeNames } from '../../lib/records/load-outcomes.ts';
import { fakeServer, type ScriptedReply } from '../fakes/fake-server.ts';
import { closed, engines, milli, open, requests } from './run.ts';

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

const cases: readonly [string, ScriptedReply, Outcome, string?][] = [
  ['a complete reply', {}, 'ok'],
  ['a slow body', { body: 'x'.repeat(300), slowly: { pieces: 3, pauseMs: 5 } }, 'ok'],
  ['a reply without content', { status: 204 }, 'ok'],
  ['a reply to HEAD', { body: 'not sent' }, 'ok', 'HEAD'],
  [
    'a reply after an informational head',
    { raw: 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n' },
    'ok',
  ],
  ['a chunked reply', { raw: `${chunked}3\r\nabc\r\n0\r\n\r\n` }, 'ok'],
  ['a complete reply on a connection that is then closed', { ending: 'close' }, 'ok'],
  ['a reply that ends with the connection', { raw: 'HTTP/1.1 200 OK\r\n\r\nbody', ending: 'close' }, 'ok'],
  ['another status', { status: 500, body: 'no' }, 'status'],
  ['a redirection', { status: 302, headers: { location: '/elsewhere' } }, 'status'],
  ['a reset instead of a reply', { raw: '', ending: 'reset' }, 'reset'],
  ['a close instead of a reply', { raw: '', ending: 'close' }, 'reset'],
  [
    'a reset half way through the body',
    { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', ending: 'reset' },
    'reset',
  ],
  [
    'a close half way through the body',
    { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', ending: 'close' },
    'reset',
  ],
  [
    'an announced close half way through the body',
    { raw: 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\nhalf', ending: 'close' },
    'reset',
  ],
  ['a close inside a chunk', { raw: `${chunked}10\r\nabc`, ending: 'close' }, 'reset'],
  ['text that is not HTTP', { raw: 'hello\r\n\r\n' }, 'badResponse'],
  ['a chunk size that is no number', { raw: `${chunked}zz\r\nabc\r\n` }, 'badResponse'],
  [
    'a switch of protocols',
    { raw: 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n' },
    'badResponse',
  ],
  ['silence', { silent: true }, 'timeout'],
  ['a body that stops', { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf' }, 'timeout'],
];

for (const { name: engine, run } of engines) {
  describe(`a request that gets (${engine})`, () => {
    for (const [name, reply, outcome, method = 'GET'] of cases) {
      it(`${name} counts as ${outcome}`, async () => {
        await using server = await fakeServer(() => reply);
        const timeoutNs = outcome === 'timeout' ? 100 * milli : 5000 * milli;
        const { summary } = await run({ url: server.url, method, timeoutNs, loop: closed(2), stop: requests(6) });
        const expected = Object.fromEntries(outcomeNames.map((each) => [each, each === outcome ? 6 : 0]));
        assert.deepEqual(summary.measurement.outcomes, expected);
        assert.equal(server.seen.length, 6, 'nothing is retried');
        assert.equal(outcome in summary.errorSamples, outcome !== 'ok');
      });
    }
  });
}

for (const { name: engine, run } of engines) {
  describe(`a run (${engine})`, () => {
    it('counts the statuses that it was told to expect as ok, and others not', async () => {
      await using server = await fakeServer(({ index }) => ({ status: index % 2 === 0 ? 404 : 200 }));
      const spec = { url: server.url, expectStatus: [404], loop: closed(1), stop: requests(10) };
      const { summary } = await run(spec);
      assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.outcomes.status], [5, 5]);
      assert.deepEqual(summary.measurement.statuses, { 200: 5, 404: 5 });
    });

    it('shows what the server said with an unexpected status', async () => {
      await using server = await fakeServer(() => ({ status: 503, body: '{"message": "busy"}' }));
      const { summary } = await run({ url: server.url, loop: closed(1), stop: requests(5) });
      assert.deepEqual(summary.errorSamples, { status: ['HTTP 503: {"message": "busy"}'] });
    });

    it('opens a new connection for each request when the server closes each, without an error', async () => {
      await using server = await fakeServer(() => ({ ending: 'close' }));
      const { summary } = await run({ url: server.url, loop: closed(2), stop: requests(20) });
      assert.equal(summary.measurement.outcomes.ok, 20);
      assert.equal(server.connections, 20);
    });

    it('has no error when the server closes idle connections without a word', async () => {
      const headers = { connection: 'keep-alive' };
      await using server = await fakeServer(() => ({ headers, ending: 'close', endingDelayMs: 5 }));
      const { summary } = await run({ url: server.url, loop: open(10, 1), stop: requests(6) });
      assert.equal(summary.measurement.outcomes.ok, 6);
      assert.equal(server.connections, 6);
    });

    it('keeps the connection for HEAD and for GET with a body', async () => {
      await using server = await fakeServer();
      const bodies = [new TextEncoder().encode('x')];
      await run({ url: server.url, method: 'HEAD', loop: closed(1), stop: requests(5) });
      await run({ url: server.url, method: 'GET', bodies, loop: closed(1), stop: requests(5) });
      assert.equal(server.connections, 2);
    });

    it('says of a lost request on a reused connection that it was one', async () => {
      await using server = await fakeServer(({ index }) => (index === 0 ? {} : { raw: '', ending: 'close' }));
      const { summary } = await run({ url: server.url, loop: closed(1), stop: requests(2) });
      assert.equal(summary.measurement.outcomes.reset, 1);
      assert.match(summary.errorSamples.reset?.[0] ?? '', /reused connection/);
    });

    it('counts a server that goes away as connect failures, and goes on', async () => {
      const server = await fakeServer(() => ({ delayMs: 1 }));
      const { summary } = await run(
        { url: server.url, loop: closed(2), stop: requests(30), warmupNs: 50 * milli },
        { onMeasurementStart: () => void server.close() },
      );
      const { outcomes } = summary.measurement;
      assert.equal(outcomes.ok + outcomes.reset + outcomes.connect, 30);
      assert.ok(outcomes.connect >= 26, `${outcomes.connect} connect failures`);
    });

    for (const loop of [closed(4), open(100)]) {
      it(`with a ${loop.kind} loop fails at once when nobody listens`, async () => {
        const server = await fakeServer();
        await server.close();
        await assert.rejects(run({ url: server.url, loop, stop: requests(1000) }), (thrown: Error) => {
          assert.equal(codeOf(thrown), 'LOAD_FAILED');
          assert.equal(thrown.message, `connection refused by ${server.url}: is the server running?`);
          return true;
        });
      });
    }
  });
}
