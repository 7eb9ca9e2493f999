/** HTTPS, with a certificate made for the test. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closed, requests, run } from './run.ts';

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl to make a certificate with';

describe('HTTPS', { skip: noOpenssl }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpsbench-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  let server: https.Server;
  let url: string;

  before(async () => {
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert, ...name];
    execFileSync('openssl', made, { stdio: 'ignore' });
    server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
      response.end('ok'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('with an unknown certificate fails and says so', async () => {
    const running = run({ url, loop: closed(2), stop: requests(10) });
    await assert.rejects(
      running,
      /^MpsbenchError: TLS with https:\/\/localhost:\d+\/ failed .*: check the certificate$/,
    );
  });

  it('with a trusted certificate loads the server', async () => {
    const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
    const argv = ['--import', 'tsx', main, 'load', url, '-c', '2', '-n', '20', '--json'];
    const child = spawn(process.execPath, argv, { env: { ...process.env, NODE_EXTRA_CA_CERTS: cert } });
    const out: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => void out.push(text));
    await once(child, 'close');
    assert.equal(JSON.parse(out.join('')).summary.measurement.outcomes.ok, 20);
  });
});
