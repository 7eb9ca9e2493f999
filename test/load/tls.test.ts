/** HTTPS, with a certificate made for the test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import https from 'node:https';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { directTransport, type Transport } from '../../lib/records/transport.ts';
import { type Certificate, makeCertificate, noOpenssl } from '../fakes/certificate.ts';
import { type Listening, listening } from '../fakes/listening.ts';
import { closed, requests, run } from './run.ts';

describe('HTTPS', { skip: noOpenssl }, () => {
  const large = Buffer.alloc(3_000_000, 'x');
  let certificate: Certificate;
  let server: Listening;
  let url: string;

  const load = (transport: Partial<Transport>, path = '', threads = 1) =>
    run(
      { url: url + path, loop: closed(2), stop: requests(20), transport: { ...directTransport, ...transport } },
      {},
      { threads },
    );

  before(async () => {
    certificate = makeCertificate();
    const { key, cert } = certificate;
    server = await listening(
      https.createServer({ key, cert }, (request, response) => {
        request.resume();
        response.end(request.url === '/large' ? large : 'ok');
      }),
    );
    url = `https://localhost:${server.port}/`;
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    certificate[Symbol.dispose]();
  });

  it('with an unknown certificate fails and says so', async () => {
    await assert.rejects(
      load({}),
      /^MpsbenchError: TLS with https:\/\/localhost:\d+\/ failed .*: check the certificate$/,
    );
  });

  it('with an unknown certificate fails on threads too', async () => {
    await assert.rejects(load({}, '', 2), /^MpsbenchError: TLS with https:\/\/localhost:\d+\/ failed /);
  });

  it('takes any certificate when it is told to', async () => {
    const { summary } = await load({ verifyCertificate: false });
    assert.equal(summary.measurement.outcomes.ok, 20);
  });

  it('takes the certificates of the authorities that it is given', async () => {
    const { summary } = await load({ certificateAuthorities: certificate.cert });
    assert.equal(summary.measurement.outcomes.ok, 20);
  });

  it('takes no other certificate than those of the authorities that it is given', async () => {
    using other = makeCertificate();
    await assert.rejects(load({ certificateAuthorities: other.cert }), /check the certificate$/);
  });

  it('checks the name that the Host header gives', async () => {
    const transport = { ...directTransport, certificateAuthorities: certificate.cert };
    const base = { loop: closed(1), stop: requests(2), transport, headers: { Host: 'localhost' } };
    const { summary } = await run({ ...base, url: `https://127.0.0.1:${server.port}/` });
    assert.equal(summary.measurement.outcomes.ok, 2);
  });

  it('says of authorities that are no PEM that they are none', async () => {
    await assert.rejects(load({ certificateAuthorities: 'no certificate' }), /^MpsbenchError: .*PEM/);
  });

  it('counts every byte of large replies', async () => {
    const { summary } = await load({ verifyCertificate: false }, 'large');
    assert.deepEqual([summary.measurement.outcomes.ok, summary.measurement.responseBytes], [20, 20 * large.length]);
  });

  it('is loaded by the command line, which says why undici sends', async () => {
    const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
    const argv = ['--import', 'tsx', main, 'load', url, '-c', '2', '-n', '20', '--json', '--cacert', certificate.path];
    const child = spawn(process.execPath, argv);
    const out: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => void out.push(text));
    await once(child, 'close');
    const { summary, transport } = JSON.parse(out.join(''));
    assert.equal(summary.measurement.outcomes.ok, 20);
    assert.equal(summary.generator.engineReason, 'the native engine speaks plain HTTP, no TLS');
    assert.equal(transport.ownAuthorities, true);
  });

  it('takes the certificates that NODE_EXTRA_CA_CERTS adds', async () => {
    const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
    const argv = ['--import', 'tsx', main, 'load', url, '-c', '2', '-n', '20'];
    const child = spawn(process.execPath, argv, {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate.path },
      stdio: 'ignore',
    });
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });
});
