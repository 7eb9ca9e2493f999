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
import { closed, duration, engines, milli, open, requests } from './run.ts';

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
  ['nothing but an end', { raw: '', ending: 'close' }, 'reset'],
  ['a chunk of negative size', { raw: `${head('transfer-encoding: chunked').slice(0, -2)}-1\r\n` }, 'badResponse'],
  [
    'a chunk of a size that no number holds',
    { raw: `${head('transfer-encoding: chunked').slice(0, -2)}${'f'.repeat(17)}\r\n` },
    'badResponse',
  ],
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

    for (const [name, reply] of cases) {
      it(`${name} ends its run on time`, async () => {
        await using server = await fakeServer(() => reply);
        const spec = { url: server.url, timeoutNs: 60_000 * milli, loop: closed(2), stop: duration(150) };
        const { summary } = await run(spec, {}, { drainLimitNs: 50 * milli });
        assert.equal(summary.measurement.durationNs, 150 * milli);
        const counts = Object.values(summary.measurement.outcomes);
        // One that was cut off may not have reached the server.
        assert.ok(counts.reduce((sum, count) => sum + count) >= server.seen.length);
      });
    }

    it('informational heads without end are no reply', async () => {
      await using server = await fakeServer(() => ({ raw: 'HTTP/1.1 102 Wait\r\n\r\n'.repeat(5000) }));
      const { summary } = await run({ url: server.url, timeoutNs: 100 * milli, loop: closed(2), stop: requests(4) });
      const { badResponse, timeout } = summary.measurement.outcomes;
      // Undici holds each head to its limit, and not all of them together.
      assert.deepEqual([badResponse, timeout], engine === 'native' ? [4, 0] : [0, 4]);
    });

    it('a body without end is cut off by the limit of a request', async () => {
      await using server = await endlessServer();
      const spec = { url: server.url, timeoutNs: 150 * milli, loop: closed(2), stop: requests(4) };
      const { summary } = await run(spec);
      assert.equal(summary.measurement.outcomes.timeout, 4);
    });

    it('a close after each answer is no failure', async () => {
      await using server = await fakeServer(() => ({
        raw: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
        ending: 'close',
      }));
      const { summary } = await run({ url: server.url, loop: open(100, 4), stop: requests(20) });
      const { ok, reset } = summary.measurement.outcomes;
      // Unannounced, the end may cross the next request on its way.
      assert.equal(ok + reset, 20);
      assert.ok(ok >= 10, `${ok} of 20`);
    });

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

async function withFewDescriptors(url: string, engine: string, moment: string) {
  const module = fileURLToPath(new URL('few-descriptors-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', module, url, engine, moment]);
  const out: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void out.push(text));
  await once(child, 'close');
  return JSON.parse(out.join(''));
}

for (const { name: engine } of engines) {
  describe(`a process with few file descriptors (${engine})`, { skip }, () => {
    it('sends nothing and names the limit and what it should be', async () => {
      await using server = await fakeServer();
      const { refused } = await withFewDescriptors(server.url, engine, 'before');
      assert.match(refused, /^100 connections need (\d+) open files and this process may have \d+: .*\(ulimit -n \1\)/);
      assert.equal(server.seen.length, 0);
    });

    it('that runs out of them in the middle says so, goes on with the others, and ends', async () => {
      await using server = await fakeServer(() => ({ ending: 'close' }));
      const { measurement, errorSamples } = await withFewDescriptors(server.url, engine, 'during');
      assert.ok(measurement.outcomes.ok > 0 && measurement.outcomes.connect > 0, JSON.stringify(measurement.outcomes));
      assert.match(errorSamples.connect.join(), /EMFILE/);
    });
  });
}

/** Sends a body as long as anybody reads it. */
async function endlessServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<net.Socket>();
  const piece = Buffer.alloc(64 << 10, 'x');
  const server = net.createServer((socket) => {
    sockets.add(socket);
    const goOn = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('drain', goOn);
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      goOn();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

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
