/** Servers that break HTTP or the connection: every request ends in a typed count, and the run ends on time. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeOf } from '../../lib/core/errors.ts';
import { type Outcome, outcomeNames } from '../../lib/records/load-outcomes.ts';
import { fakeServer, type ScriptedReply } from '../fakes/fake-server.ts';
import { closed, engines, milli, open, requests } from './run.ts';

const skip = spawnSync('prlimit', ['--version']).status === 0 ? false : 'no prlimit to lower the limit of open files';
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const head = (line: string): string => `HTTP/1.1 200 OK\r\n${line}\r\n\r\nok`;

const cases: readonly [string, ScriptedReply, Outcome][] = [
  ['garbage', { raw: '\x00\x01\xff garbage \r\n\r\n' }, 'badResponse'],
  ['an endless header', { raw: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}` }, 'badResponse'],
  ['endless headers', { raw: `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}` }, 'badResponse'],
  ['a negative Content-Length', { raw: head('content-length: -1') }, 'badResponse'],
  ['a Content-Length that no number holds', { raw: head(`content-length: ${'9'.repeat(30)}`) }, 'badResponse'],
  ['two lengths', { raw: head('content-length: 2\r\ncontent-length: 3') }, 'badResponse'],
  ['a length and an encoding', { raw: head('content-length: 2\r\ntransfer-encoding: chunked') }, 'badResponse'],
  ['a body where none may be', { raw: 'HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\nok' }, 'badResponse'],
  ['lines that end in a line feed alone', { raw: 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok' }, 'badResponse'],
  ['a huge Content-Length and an end', { raw: head('content-length: 900000000000'), ending: 'close' }, 'reset'],
  ['a body shorter than announced', { raw: head('content-length: 3'), ending: 'close' }, 'reset'],
  ['a body shorter than announced and silence', { raw: head('content-length: 3') }, 'timeout'],
  ['a body longer than announced', { raw: `${ok}more than that` }, 'ok'],
  ['a pipelined extra answer', { raw: ok + ok }, 'ok'],
  ['a reset mid-body', { raw: head('content-length: 100'), ending: 'reset' }, 'reset'],
  ['no answer at all', { silent: true }, 'timeout'],
];

for (const { name: engine, run } of engines) {
  describe(`a server that sends (${engine})`, () => {
    for (const [name, reply, outcome] of cases) {
      it(`${name} is counted as ${outcome}`, async () => {
        await using server = await fakeServer(() => reply);
        const timeoutNs = outcome === 'timeout' ? 100 * milli : 5000 * milli;
        const { summary } = await run({ url: server.url, timeoutNs, loop: closed(2), stop: requests(6) });
        const expected = Object.fromEntries(outcomeNames.map((each) => [each, each === outcome ? 6 : 0]));
        assert.deepEqual(summary.measurement.outcomes, expected);
        assert.equal(server.seen.length, 6, 'nothing is retried');
      });
    }

    it('its answer before it has read the request is believed', async () => {
      await using server = await earlyServer();
      const bodies = [new Uint8Array(16 << 20)];
      const spec = { url: server.url, method: 'POST', bodies, expectStatus: [413], loop: closed(2), stop: requests(4) };
      const { summary } = await run(spec);
      assert.deepEqual(summary.measurement.statuses, { 413: 4 });
    });

    it('its answers one byte at a time are read', async () => {
      await using server = await fakeServer(() => ({ body: 'abcdefgh', slowly: { pieces: 8, pauseMs: 1 } }));
      const { summary } = await run({ url: server.url, loop: closed(2), stop: requests(4) });
      assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.responseBytes], [4, 32]);
    });

    it('its large answers to large requests arrive whole', async () => {
      const body = 'x'.repeat(3 << 20);
      await using server = await fakeServer(() => ({ body }));
      const bodies = [new Uint8Array(2 << 20)];
      const { summary } = await run({ url: server.url, method: 'POST', bodies, loop: closed(3), stop: requests(9) });
      const { outcomes, requestBytes, responseBytes } = summary.measurement;
      assert.deepEqual([outcomes.ok, requestBytes, responseBytes], [9, 9 * (2 << 20), 9 * (3 << 20)]);
    });
  });

  describe(`a host (${engine})`, () => {
    it('whose name is unknown fails the run with that reason', async () => {
      const running = run({ url: 'http://no-such-host.invalid/', loop: closed(2), stop: requests(10) });
      await assert.rejects(running, (thrown: Error) => {
        assert.equal(codeOf(thrown), 'LOAD_FAILED');
        assert.match(thrown.message, /^host of http:\/\/no-such-host\.invalid\/ is unknown \(E\w+\): check the name$/);
        return true;
      });
    });

    it('that answers on one of its addresses only is reached', async () => {
      await using server = await fakeServer();
      const url = server.url.replace('127.0.0.1', 'localhost');
      const { summary } = await run({ url, loop: closed(2), stop: requests(10) });
      assert.equal(summary.measurement.outcomes.ok, 10);
    });

    it('that is named by an IPv6 address is reached', async () => {
      await using server = await earlyServer('::1');
      const { summary } = await run({ url: server.url, expectStatus: [413], loop: closed(1), stop: requests(2) });
      assert.equal(summary.measurement.outcomes.ok, 2);
    });
  });

  it(`an open loop with nobody behind half of its requests goes on (${engine})`, async () => {
    await using server = await fakeServer(({ index }) => (index % 2 === 0 ? { raw: '', ending: 'reset' } : {}));
    const { summary } = await run({ url: server.url, loop: open(500, 8), stop: requests(100) });
    assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.outcomes.reset], [50, 50]);
  });
}

// The undici engine gives the run up, since its first failures come before its first connection is made.
it('a process of the native engine without free file descriptors names the limit, and the run ends', {
  skip,
}, async () => {
  await using server = await fakeServer();
  const module = fileURLToPath(new URL('few-descriptors-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', module, server.url, 'native']);
  const out: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void out.push(text));
  await once(child, 'close');
  const { measurement, errorSamples } = JSON.parse(out.join(''));
  const { ok, connect } = measurement.outcomes;
  assert.ok(ok > 0 && connect > 0 && ok + connect === 300, JSON.stringify(measurement.outcomes));
  assert.match(errorSamples.connect.join(), /EMFILE/);
});

/** Answers as soon as a connection is made and closes it, without ever reading what comes. */
async function earlyServer(host = '127.0.0.1'): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('readable', () => {
      socket.write('HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
