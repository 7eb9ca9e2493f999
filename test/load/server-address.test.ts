/** Where a run connects to: Unix sockets, IPv6 literals, names with several addresses. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { codeOf } from '../../lib/core/errors.ts';
import { loadDefaults, runLoad } from '../../lib/load/run-load.ts';
import { serverAddress } from '../../lib/load/server-address.ts';
import { Settlement } from '../../lib/load/settlement.ts';
import { loadAddon } from '../../lib/native/addon.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, engines, milli, open, requests } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpsbench-socket-'));
after(() => rmSync(folder, { recursive: true }));
let made = 0;

interface Heard extends AsyncDisposable {
  readonly seen: { readonly path: string; readonly host: string | undefined }[];
}

/** An HTTP server on that path or address. */
async function listening(where: { readonly path: string } | { readonly host: string; readonly port: number }) {
  const seen: Heard['seen'] = [];
  const server = http.createServer((request, response) => {
    seen.push({ path: request.url ?? '', host: request.headers.host });
    response.end('y'.repeat(100_000));
  });
  server.listen(where);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { seen, server, [Symbol.asyncDispose]: close };
}

for (const { name: engine, run } of engines) {
  describe(`a Unix socket (${engine})`, () => {
    it('carries the requests, which still say what the URL says', async () => {
      const socketPath = join(folder, `${made++}.sock`);
      await using server = await listening({ path: socketPath });
      for (const loop of [closed(3), open(1000, 3)]) {
        const { summary } = await run({ url: 'http://model.test/v1?x=1', socketPath, loop, stop: requests(30) });
        assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.responseBytes], [30, 3_000_000]);
      }
      assert.equal(server.seen.length, 60);
      assert.ok(server.seen.every(({ path, host }) => path === '/v1?x=1' && host === 'model.test'));
    });

    const file = join(folder, `file-${engine}`);
    writeFileSync(file, '');
    chmodSync(file, 0o777);
    for (const [name, socketPath, pattern] of [
      ['that does not exist', join(folder, 'none'), /^Unix socket .*none does not exist: check the path/],
      ['that is a file', file, /^connection refused by Unix socket .*file-\w+: is the server running\?$/],
    ] as const) {
      it(`${name} fails the run with that reason`, async () => {
        const running = run({ url: 'http://model.test/', socketPath, loop: closed(2), stop: requests(50) });
        await assert.rejects(running, (thrown: Error) => {
          assert.equal(codeOf(thrown), 'LOAD_FAILED');
          assert.match(thrown.message, pattern);
          return true;
        });
      });
    }
  });

  it(`an IPv6 literal is connected to and is the host that is asked for (${engine})`, async () => {
    await using server = await listening({ host: '::1', port: 0 });
    const { port } = server.server.address() as { port: number };
    const { summary } = await run({ url: `http://[::1]:${port}/`, loop: closed(2), stop: requests(10) });
    assert.equal(summary.measurement.outcomes.ok, 10);
    assert.ok(server.seen.every(({ host }) => host === `[::1]:${port}`));
  });
}

describe('an address', () => {
  it('that answers is found among several, each connection, also when it is the last', async () => {
    await using server = await fakeServer();
    const { port } = new URL(server.url);
    const addon = loadAddon();
    const done = new Settlement<void>();
    const originNs = addon.nowNs();
    const load = addon.startLoad({
      addresses: ['127.0.0.2', '::1', '127.0.0.1'],
      port: Number(port),
      heads: [Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
      bodies: [new Uint8Array(0)],
      fields: new Float64Array(0),
      templateStream: 0n,
      payloadStream: 0n,
      head: false,
      closeEach: true,
      okStatuses: [200],
      connections: 4,
      threads: 2,
      originNs,
      scheduleNs: null,
      measurementStartNs: 0,
      deadlineNs: null,
      requests: 40,
      timeoutNs: 5000 * milli,
      cpus: null,
      onDone: () => done.resolve(),
    });
    await done.promise;
    const { count, outcome, connections } = load.take();
    load.close();
    assert.deepEqual([count, connections], [40, 40]);
    assert.ok(outcome.subarray(0, count).every((each) => each === 0));
  });

  it('is known before the first request: numbers as they are, names in the order of the system', async () => {
    const of = (url: string) => serverAddress({ url, socketPath: null }, 1e9);
    assert.deepEqual(await of('http://[::1]:81/'), { addresses: ['::1'], port: 81 });
    assert.deepEqual(await of('http://127.0.0.1/'), { addresses: ['127.0.0.1'], port: 80 });
    const { addresses } = await of('http://localhost:8080/');
    assert.ok(addresses.length > 0 && addresses.every((each) => each === '127.0.0.1' || each === '::1'));
  });

  for (const [name, socketPath, pattern] of [
    ['relative', 'run/x.sock', /no absolute path/],
    ['too long', `/${'x'.repeat(108)}`, /over 10\d bytes/],
  ] as const) {
    it(`of a Unix socket that is ${name} is a usage error`, async () => {
      const spec = { ...loadDefaults, url: 'http://h/', socketPath, loop: closed(1), stop: requests(1) };
      const running = runLoad(spec, { signal: new AbortController().signal });
      await assert.rejects(running, (thrown: Error) => {
        assert.equal(codeOf(thrown), 'USAGE');
        assert.match(thrown.message, pattern);
        return true;
      });
    });
  }
});
