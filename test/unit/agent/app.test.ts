/** Who may ask the agent, and how it refuses: by injected requests, and by sockets where the server itself is meant. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as tlsRequest } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { type AgentParts, agentApp } from '../../../lib/agent/app.ts';
import { tokenCheck } from '../../../lib/agent/bearer-token.ts';
import { usualLimits } from '../../../lib/agent/http-server.ts';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { milliseconds } from '../../../lib/core/units.ts';
import { noOpenssl } from '../../fakes/certificate.ts';
import { certificate, token } from './scratch.ts';

const routes: FastifyPluginAsync = async (app) => {
  app.get('/v1/thing', async () => ({ thing: 1 }));
  app.post('/v1/thing', async (request) => ({ got: request.body }));
  app.get('/v1/bug', async () => {
    throw new TypeError('secret inner words');
  });
  app.get('/v1/fault', async () => {
    throw new MpsbenchError('MPS_NOT_READY', 'what failed, on what; what to do');
  });
};

function agent(changes: Partial<AgentParts> = {}): FastifyInstance {
  const credentials = { tls: null, allows: tokenCheck(token) };
  return agentApp({ version: '1.2.3', credentials: () => credentials, routes: [routes], log: () => {}, ...changes });
}

const bearer = { authorization: `Bearer ${token}` };

const asked: readonly (readonly [string, object, number, string | null])[] = [
  ['a route with the token', { url: '/v1/thing', headers: bearer }, 200, null],
  ['a route without a token', { url: '/v1/thing' }, 401, 'UNAUTHORIZED'],
  ['a route with a wrong token', { url: '/v1/thing', headers: { authorization: 'Bearer wrong' } }, 401, 'UNAUTHORIZED'],
  ['health without a token', { url: '/healthz' }, 200, null],
  ['an unknown path without a token', { url: '/v1/nothing' }, 401, 'UNAUTHORIZED'],
  ['an unknown path with the token', { url: '/v1/nothing', headers: bearer }, 404, 'NOT_FOUND'],
  ['health by another method', { method: 'POST', url: '/healthz' }, 401, 'UNAUTHORIZED'],
  ['a path that is no path', { url: '/%zz' }, 400, 'BAD_REQUEST'],
  ['a GET with a body', { url: '/v1/thing', headers: bearer, payload: 'x' }, 400, 'BAD_REQUEST'],
  [
    'a GET with a large body',
    { url: '/v1/thing', headers: bearer, payload: 'x'.repeat(70_000) },
    413,
    'BODY_TOO_LARGE',
  ],
  [
    'a large body',
    { method: 'POST', url: '/v1/thing', headers: bearer, payload: { text: 'x'.repeat(70_000) } },
    413,
    'BODY_TOO_LARGE',
  ],
  [
    'a body that is no JSON',
    { method: 'POST', url: '/v1/thing', headers: { ...bearer, 'content-type': 'application/json' }, payload: '{' },
    400,
    'BAD_REQUEST',
  ],
  [
    'a body of another type',
    { method: 'POST', url: '/v1/thing', headers: { ...bearer, 'content-type': 'text/plain' }, payload: 'x' },
    415,
    'BAD_REQUEST',
  ],
  ['what the host is at fault for', { url: '/v1/fault', headers: bearer }, 500, 'MPS_NOT_READY'],
  ['a bug', { url: '/v1/bug', headers: bearer }, 500, 'INTERNAL'],
];

describe('the agent, asked for', () => {
  for (const [what, request, status, code] of asked) {
    it(`${what}, answers ${status}${code === null ? '' : ` ${code} in one line`}`, async () => {
      await using app = closing(agent());
      const response = await app.inject(request);
      assert.equal(response.statusCode, status, response.body);
      if (code === null) return;
      assert.match(response.body, /^\{[^\n]*\}\n$/);
      assert.equal(response.json().error.code, code);
      assert.doesNotMatch(response.body, /secret inner words/);
    });
  }

  it('health, says that it is well and its version, and nothing else', async () => {
    await using app = closing(agent());
    assert.deepEqual((await app.inject('/healthz')).json(), { status: 'ok', version: '1.2.3' });
  });

  it('a thing, looks at the credentials that are in force then', async () => {
    let credentials = { tls: null, allows: tokenCheck(token) };
    await using app = closing(agent({ credentials: () => credentials }));
    assert.equal((await app.inject({ url: '/v1/thing', headers: bearer })).statusCode, 200);
    credentials = { tls: null, allows: tokenCheck('another token of this agent'.replaceAll(' ', '-')) };
    assert.equal((await app.inject({ url: '/v1/thing', headers: bearer })).statusCode, 401);
  });

  it('a thing without any token, answers to names of loopback only', async () => {
    await using app = closing(agent({ credentials: () => ({ tls: null, allows: null }) }));
    for (const host of ['localhost:9477', '127.0.0.1', '[::1]:1']) {
      assert.equal((await app.inject({ url: '/v1/thing', headers: { host } })).statusCode, 200, host);
    }
    const rebound = await app.inject({ url: '/v1/thing', headers: { host: 'attacker.example' } });
    assert.deepEqual([rebound.statusCode, rebound.json().error.code], [421, 'MISDIRECTED']);
  });

  it('anything it refuses, counts it by what it told', async () => {
    const told: string[] = [];
    await using app = closing(agent({ onRefused: (code) => told.push(code) }));
    await app.inject('/v1/thing');
    await app.inject({ url: '/v1/nothing', headers: bearer });
    assert.deepEqual(told, ['UNAUTHORIZED', 'NOT_FOUND']);
  });
});

/** What the server sends to raw text, until it ends the connection. */
async function raw(app: FastifyInstance, text: string): Promise<string> {
  const socket = connect(portOf(app), '127.0.0.1');
  socket.write(text);
  let received = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    received += part;
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  return received;
}

const patience = { ...usualLimits, headersTimeoutNs: milliseconds(300), requestTimeoutNs: milliseconds(300) };

const broken: readonly (readonly [string, string, RegExp])[] = [
  ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 .*"code":"BAD_REQUEST"/s],
  ['too large a head', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 .*"HEADERS_TOO_LARGE"/s],
  ['a head that never ends', 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ', /^HTTP\/1\.1 408 .*"TOO_SLOW"/s],
  [
    'a body that never ends',
    `POST /v1/thing HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{`,
    /^HTTP\/1\.1 408 .*"TOO_SLOW"/s,
  ],
  ['nothing at all', '', /^(HTTP\/1\.1 408 .*"TOO_SLOW".*)?$/s],
];

describe('the agent, sent', () => {
  for (const [what, text, answer] of broken) {
    it(`${what}, says so and hangs up`, async () => {
      await using app = closing(agent({ limits: { ...patience, checkPeriodNs: milliseconds(50) } }));
      await app.listen({ host: '127.0.0.1', port: 0 });
      assert.match(await raw(app, text), answer);
    });
  }
});

describe('the agent with TLS', { skip: noOpenssl }, () => {
  const tls = noOpenssl ? { cert: '', key: '' } : material();

  it('answers by it, and refuses versions before 1.2', async () => {
    await using app = closing(agent({ credentials: () => ({ tls, allows: tokenCheck(token) }) }));
    await app.listen({ host: '127.0.0.1', port: 0 });
    const port = portOf(app);
    const asked = tlsRequest({ port, path: '/v1/thing', ca: tls.cert, servername: 'localhost', headers: bearer });
    asked.end();
    const [response] = await once(asked, 'response');
    assert.equal(response.statusCode, 200);
    response.resume();
    const old = tlsConnect({ port, ca: tls.cert, servername: 'localhost', minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    await assert.rejects(once(old, 'secureConnect'));
  });
});

function material() {
  const { certificateFile, keyFile } = certificate();
  return { cert: readFileSync(certificateFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

function portOf(app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port;
}

function closing(app: FastifyInstance): FastifyInstance & AsyncDisposable {
  return Object.assign(app, { [Symbol.asyncDispose]: async () => void (await app.close()) });
}
