/** Load through an HTTP proxy. */
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { describe, it } from 'node:test';
import { codeOf } from '../../lib/core/errors.ts';
import { anyEngine, chooseEngine } from '../../lib/load/choose-engine.ts';
import { checkSpec, loadDefaults } from '../../lib/load/run-load.ts';
import { directTransport, type Transport } from '../../lib/records/transport.ts';
import { makeCertificate, noOpenssl } from '../fakes/certificate.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { type Listening, listening } from '../fakes/listening.ts';
import { closed, milli, requests, run } from './run.ts';

interface Proxy extends Listening {
  readonly url: string;
  /** First lines of what it was asked, and how often. */
  readonly asked: Map<string, number>;
  readonly authorizations: Set<string | undefined>;
}

/** Forwards plain requests and opens tunnels; with `refusal`, answers that to both. */
async function proxy(refusal: number | null = null): Promise<Proxy> {
  const asked = new Map<string, number>();
  const authorizations = new Set<string | undefined>();
  const note = ({ method, url, headers }: http.IncomingMessage): void => {
    asked.set(`${method} ${url}`, (asked.get(`${method} ${url}`) ?? 0) + 1);
    authorizations.add(headers['proxy-authorization']);
  };
  const server = http.createServer((request, reply) => {
    note(request);
    const forward = http.request(request.url ?? '', { method: request.method, headers: request.headers }, (answer) => {
      reply.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(reply);
    });
    request.pipe(forward);
  });
  server.on('connect', (request: http.IncomingMessage, client: net.Socket) => {
    note(request);
    if (refusal !== null) {
      client.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const [host, port] = (request.url ?? '').split(':');
    const target = net.connect(Number(port), host === 'localhost' ? '127.0.0.1' : host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(target).pipe(client);
    });
    target.on('error', () => client.destroy());
    client.on('close', () => target.destroy());
  });
  const listens = await listening(server);
  return Object.assign(listens, { url: `http://127.0.0.1:${listens.port}`, asked, authorizations });
}

const through = (proxyUrl: string, rest: Partial<Transport> = {}): Transport => ({
  ...directTransport,
  ...rest,
  proxyUrl,
});

describe('a load through a proxy', () => {
  it('asks it for each request of a plain server', async () => {
    await using server = await fakeServer();
    await using via = await proxy();
    const bodies = [Buffer.from('hello')];
    const spec = { url: `${server.url}a?b=c`, method: 'POST', bodies, loop: closed(2), stop: requests(20) };
    const { summary } = await run({ ...spec, transport: through(via.url) });
    assert.deepEqual([summary.measurement.outcomes.ok, server.seen.length], [20, 20]);
    assert.deepEqual([...via.asked], [[`POST ${server.url}a?b=c`, 20]]);
    assert.equal(via.connections, 2);
    assert.deepEqual([server.seen[0]?.path, server.seen[0]?.body.toString()], ['/a?b=c', 'hello']);
  });

  it('opens a tunnel for each connection to a TLS server', { skip: noOpenssl }, async () => {
    using certificate = makeCertificate();
    const { key, cert } = certificate;
    await using server = await listening(https.createServer({ key, cert }, (_, reply) => reply.end('ok')));
    await using via = await proxy();
    const spec = { url: `https://localhost:${server.port}/`, loop: closed(3), stop: requests(30) };
    const { summary } = await run({ ...spec, transport: through(via.url, { certificateAuthorities: cert }) });
    assert.equal(summary.measurement.outcomes.ok, 30);
    assert.deepEqual([...via.asked], [[`CONNECT localhost:${server.port}`, 3]]);
    assert.equal(server.connections, 3);
  });

  it('tells it name and password where its URL has them', { skip: noOpenssl }, async () => {
    using certificate = makeCertificate();
    const { key, cert } = certificate;
    await using plain = await fakeServer();
    await using secure = await listening(https.createServer({ key, cert }, (_, reply) => reply.end('ok')));
    await using via = await proxy();
    const transport = through(via.url.replace('http://', 'http://me:p%40ss@'), { verifyCertificate: false });
    for (const url of [plain.url, `https://localhost:${secure.port}/`]) {
      await run({ url, loop: closed(1), stop: requests(2), transport });
    }
    assert.deepEqual([...via.authorizations], [`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
  });

  it('says what it answered when it opens no tunnel', async () => {
    await using via = await proxy(407);
    const running = run({
      url: 'https://localhost:9/',
      loop: closed(2),
      stop: requests(5),
      transport: through(via.url),
    });
    await assert.rejects(running, (thrown: Error) => {
      assert.equal(codeOf(thrown), 'LOAD_FAILED');
      assert.match(
        thrown.message,
        /^no connection to https:\/\/localhost:9\/ by proxy 127.*: it answered 407 to CONNECT/,
      );
      return true;
    });
  });

  for (const url of ['http://127.0.0.1:9/', 'https://127.0.0.1:9/']) {
    it(`says that it is not there (${url})`, async () => {
      const via = await proxy();
      await via[Symbol.asyncDispose]();
      const running = run({ url, loop: closed(2), stop: requests(5), transport: through(via.url) });
      await assert.rejects(
        running,
        /^MpsbenchError: no connection to .* by proxy 127.*ECONNREFUSED.*: is the proxy running/,
      );
    });
  }

  it('gives up a tunnel that never opens at the time limit', async () => {
    await using silent = await listening(net.createServer((socket) => socket.resume()));
    const spec = { url: 'https://localhost:9/', loop: closed(2), stop: requests(5), timeoutNs: 100 * milli };
    const running = run({ ...spec, transport: through(`http://127.0.0.1:${silent.port}`) });
    await assert.rejects(running, /^MpsbenchError: no connection to https:\/\/localhost:9\/ within 100 ms/);
  });

  it('is not taken from the environment', async () => {
    await using server = await fakeServer();
    await using via = await proxy();
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = via.url;
    try {
      await run({ url: server.url, loop: closed(1), stop: requests(3) });
    } finally {
      names.forEach((name, index) => {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      });
    }
    assert.deepEqual([server.seen.length, via.connections], [3, 0]);
  });

  it('is sent by undici, which says why', async () => {
    const target = { url: 'http://127.0.0.1/', transport: through('http://127.0.0.1:1') };
    assert.equal((await chooseEngine(target, anyEngine)).name, 'undici');
    const refused = { code: 'USAGE', message: /no proxy/ };
    await assert.rejects(chooseEngine(target, { ...anyEngine, engine: 'native' }), refused);
  });

  for (const proxyUrl of ['socks5://127.0.0.1:1080', 'https://127.0.0.1:3128', 'nonsense']) {
    it(`at ${proxyUrl} is a usage error`, () => {
      const spec = { ...loadDefaults, url: 'http://127.0.0.1/', loop: closed(1), stop: requests(1) };
      assert.throws(() => checkSpec({ ...spec, transport: through(proxyUrl) }), { code: 'USAGE' });
    });
  }
});
