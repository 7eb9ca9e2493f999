/** One load over several servers: how it is shared among them, and that each is spoken to by its own name. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { nativeEngine } from '../../lib/load/native-sender.ts';
import { undiciEngine } from '../../lib/load/undici-engine.ts';
import { loadAddon } from '../../lib/native/addon.ts';
import type { LoadSpec } from '../../lib/records/load.ts';
import { directTransport } from '../../lib/records/transport.ts';
import { closed, duration, engines, milli, open, type Run, requests, runOn } from './run.ts';

interface Counted {
  readonly url: string;
  readonly server: Server;
  readonly seen: { readonly host: string | undefined; readonly path: string | undefined }[];
  readonly sockets: () => number;
}

async function counted(): Promise<Counted> {
  const seen: Counted['seen'] = [];
  let sockets = 0;
  const server = createServer((request, response) => {
    seen.push({ host: request.headers.host, path: request.url });
    request.resume().on('end', () => response.end('ok'));
  });
  server.on('connection', () => {
    sockets += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/predict?a=1`, server, seen, sockets: () => sockets };
}

/** Requests and connections that each of so many servers has seen, each under its own name. */
async function spread(
  run: Run,
  count: number,
  spec: Pick<LoadSpec, 'loop' | 'stop'> & Partial<LoadSpec>,
): Promise<{ readonly requests: readonly number[]; readonly connections: readonly number[] }> {
  const servers = await Promise.all(Array.from({ length: count }, counted));
  try {
    const endpoints = servers.map(({ url }) => url);
    const { summary } = await run({ method: 'POST', url: endpoints[0] as string, endpoints, ...spec });
    const requestCounts = servers.map(({ seen }) => seen.length);
    assert.equal(summary.measurement.outcomes.ok, sumOf(requestCounts));
    for (const { url, seen } of servers) {
      const { host } = new URL(url);
      assert.deepEqual(
        seen.filter((request) => request.host !== host || request.path !== '/predict?a=1'),
        [],
      );
    }
    return { requests: requestCounts, connections: servers.map(({ sockets }) => sockets()) };
  } finally {
    for (const { server } of servers) server.closeAllConnections();
    for (const { server } of servers) server.close();
  }
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
const twoThreads: Run = (given, hooks) => runOn(nativeEngine({ addon: loadAddon(), threads: 2 }), given, hooks);
const threads: Run = (given, hooks) => runOn(undiciEngine({ threads: 2 }), given, hooks);
const runs = [
  ...engines,
  { name: 'undici, two threads', run: threads },
  { name: 'native, two threads', run: twoThreads },
];

for (const { name, run } of runs) {
  describe(`a load over several servers (${name})`, () => {
    it('has as many connections to each in a closed loop', async () => {
      const counts = await spread(run, 3, { loop: closed(6), stop: requests(300) });
      assert.deepEqual(counts.connections, [2, 2, 2]);
      assert.equal(sumOf(counts.requests), 300);
      assert.ok(counts.requests.every((count) => count > 0));
    });

    it('takes them in turn in an open loop, however few requests are in flight', async () => {
      // As many connections as requests: every server always has a free one.
      const counts = await spread(run, 4, { loop: open(200, 80), stop: duration(400) });
      assert.deepEqual(counts.requests, [20, 20, 20, 20]);
    });

    it('sends one body to each of them, under its own name', async () => {
      const bodies = [Buffer.from('the same for all')];
      const counts = await spread(run, 3, { loop: closed(3), stop: requests(60), bodies });
      assert.deepEqual(counts.connections, [1, 1, 1]);
    });

    it('sends the bodies of a template to each of them', async () => {
      const bodies = [Buffer.from('{{counter:4}} first'), Buffer.from('second {{uuid}}')];
      const counts = await spread(run, 2, { loop: closed(2), stop: requests(40), bodies, template: true });
      assert.deepEqual(counts.connections, [1, 1]);
    });
  });
}

describe('a load over several servers', () => {
  it('goes on with those that are there while one refuses', async () => {
    for (const { run } of engines) {
      const alive = await counted();
      try {
        const endpoints = [alive.url, 'http://127.0.0.1:1/predict?a=1'];
        const spec = { loop: closed(2), warmupNs: 0, stop: duration(300), timeoutNs: 1000 * milli };
        const { summary } = await run({ method: 'POST', url: alive.url, endpoints, ...spec });
        assert.ok(summary.measurement.outcomes.ok > 0);
        assert.ok(summary.measurement.outcomes.connect > 0);
      } finally {
        alive.server.closeAllConnections();
        alive.server.close();
      }
    }
  });

  it('is refused through a proxy', async () => {
    const transport = { ...directTransport, proxyUrl: 'http://127.0.0.1:1/' };
    const endpoints = ['http://127.0.0.1:1/', 'http://127.0.0.1:2/'];
    const url = 'http://127.0.0.1:1/';
    const loading = runOn(undiciEngine(), { url, endpoints, transport, loop: closed(2), stop: requests(1) });
    await assert.rejects(loading, { code: 'USAGE', message: /2 endpoints cannot be loaded through a proxy/ });
  });
});
