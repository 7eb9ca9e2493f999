/** HTTP/2: requests as streams of few connections. */
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../lib/core/clock.ts';
import { milliseconds } from '../../lib/core/units.ts';
import { checkSpec, loadDefaults } from '../../lib/load/run-load.ts';
import type { LoadSpec } from '../../lib/records/load.ts';
import { directTransport } from '../../lib/records/transport.ts';
import { type Certificate, makeCertificate, noOpenssl } from '../fakes/certificate.ts';
import { listening } from '../fakes/listening.ts';
import { closed, duration, milli, open, requests, run } from './run.ts';

type Answer = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, index: number) => void;

describe('HTTP/2', { skip: noOpenssl }, () => {
  let certificate: Certificate;
  before(() => {
    certificate = makeCertificate();
  });
  after(() => certificate[Symbol.dispose]());

  async function server(answer: Answer, settings: http2.Settings = {}) {
    const { key, cert } = certificate;
    const made = http2.createSecureServer({ key, cert, settings });
    const seen = { bodies: [] as string[], inFlight: 0, inFlightMax: 0 };
    made.on('sessionError', () => {});
    made.on('stream', (stream, headers) => {
      seen.inFlight++;
      seen.inFlightMax = Math.max(seen.inFlightMax, seen.inFlight);
      stream.on('error', () => {});
      stream.once('close', () => seen.inFlight--);
      let body = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      stream.once('end', () => answer(stream, headers, seen.bodies.push(body) - 1));
    });
    const listens = await listening(made);
    return Object.assign(listens, { seen, url: `https://localhost:${listens.port}/` });
  }

  function load(url: string, streams: number, spec: Pick<LoadSpec, 'loop' | 'stop'> & Partial<LoadSpec>, threads = 1) {
    const transport = { ...directTransport, verifyCertificate: false, http2Streams: streams };
    return run({ url, transport, ...spec }, {}, { threads, drainLimitNs: 50 * milli });
  }

  const ok: Answer = (stream) => stream.end('ok');
  const afterPause: Answer = async (stream) => {
    await systemClock.sleep(milliseconds(20));
    if (!stream.destroyed) stream.end('ok');
  };
  const post = { method: 'POST', bodies: [Buffer.from('hello')] };

  it('carries as many requests at a time as asked for, on as few connections as hold them', async () => {
    await using target = await server(afterPause);
    const { summary } = await load(target.url, 4, { ...post, loop: closed(10), stop: requests(60) });
    assert.deepEqual([summary.measurement.outcomes.ok, target.seen.bodies.length], [60, 60]);
    assert.deepEqual([target.connections, target.seen.inFlightMax, summary.generator.inFlightMax], [3, 10, 10]);
    assert.ok(target.seen.bodies.every((body) => body === 'hello'));
    assert.deepEqual(
      [summary.measurement.requestBytes, summary.measurement.responseBytes, summary.measurement.statuses],
      [60 * 5, 60 * 2, { 200: 60 }],
    );
  });

  it('is shared among threads', async () => {
    await using target = await server(ok);
    const { summary } = await load(target.url, 2, { loop: closed(8), stop: requests(50) }, 2);
    assert.deepEqual([summary.measurement.outcomes.ok, target.connections], [50, 4]);
  });

  it('follows a schedule', async () => {
    await using target = await server(ok);
    const { summary } = await load(target.url, 10, { loop: open(200, 10), stop: requests(30) });
    assert.deepEqual([summary.measurement.outcomes.ok, target.connections], [30, 1]);
  });

  it('counts statuses, and shows what the server said', async () => {
    await using target = await server((stream, _, index) => {
      stream.respond({ ':status': index % 2 === 0 ? 503 : 200 });
      stream.end('busy');
    });
    const { summary } = await load(target.url, 2, { loop: closed(2), stop: requests(10) });
    assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.outcomes.status], [5, 5]);
    assert.deepEqual(summary.errorSamples, { status: ['HTTP 503: busy'] });
  });

  it('counts streams that the server resets, and goes on with the others', async () => {
    await using target = await server((stream, _, index) => {
      if (index % 3 === 0) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
      else stream.end('ok');
    });
    const { summary } = await load(target.url, 4, { loop: closed(4), stop: requests(30) });
    assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.outcomes.reset], [20, 10]);
    assert.equal(target.connections, 1);
  });

  it('gives up single streams at the time limit', async () => {
    await using target = await server((stream, _, index) => {
      if (index !== 0) stream.end('ok');
    });
    const spec = { loop: closed(2), stop: requests(20), timeoutNs: 200 * milli };
    const { summary } = await load(target.url, 2, spec);
    assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.outcomes.timeout], [19, 1]);
    assert.equal(target.connections, 1);
  });

  it('cuts off what does not end within the limit after the deadline', async () => {
    await using target = await server(() => {});
    const { summary } = await load(target.url, 4, { loop: closed(4), stop: duration(100) });
    assert.equal(summary.measurement.outcomes.aborted, 4);
  });

  it('counts each request of a lost connection once, and sends none again', async () => {
    await using target = await server((stream, _, index) => {
      if (index % 8 === 7) stream.session?.destroy();
      else if (index % 8 < 4) stream.end('ok');
    });
    const { summary } = await load(target.url, 4, { ...post, loop: closed(4), stop: requests(40) });
    const { ok: answered, reset } = summary.measurement.outcomes;
    assert.equal(answered + reset, 40, JSON.stringify(summary.measurement.outcomes));
    assert.ok(reset > 0);
    assert.ok(target.seen.bodies.length <= 40, `${target.seen.bodies.length} requests came`);
  });

  it('is not replaced by HTTP/1.1 where the server does not offer it', async () => {
    const { key, cert } = certificate;
    await using target = await listening(https.createServer({ key, cert }, (_, reply) => reply.end('ok')));
    const running = load(`https://localhost:${target.port}/`, 2, { loop: closed(2), stop: requests(5) });
    await assert.rejects(running, /^MpsbenchError: no connection to .*does not offer HTTP\/2; leave out --http2/);
  });

  const impossible: readonly [string, Partial<LoadSpec>, RegExp][] = [
    ['without TLS', { url: 'http://127.0.0.1/' }, /^http:\/\/127.0.0.1\/ has no TLS: .*h2c/],
    ['with a body that GET would have', { bodies: [Buffer.from('x')] }, /^GET with a body is not possible/],
    ['with half a stream', { transport: { ...directTransport, http2Streams: 0.5 } }, /^0.5 HTTP\/2 streams/],
  ];
  for (const [name, spec, message] of impossible) {
    it(`${name} is a usage error`, () => {
      const base: LoadSpec = {
        ...{ ...loadDefaults, url: 'https://localhost/', loop: closed(1), stop: requests(1) },
        transport: { ...directTransport, http2Streams: 10 },
      };
      assert.throws(() => checkSpec({ ...base, ...spec }), { code: 'USAGE', message });
    });
  }
});
