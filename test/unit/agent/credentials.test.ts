/** What the agent refuses to start with: secrets open to others, certificates out of date, an open door. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { describe, it } from 'node:test';
import { tokenCheck } from '../../../lib/agent/bearer-token.ts';
import { type AgentConfiguration, defaultConfiguration } from '../../../lib/agent/configuration.ts';
import { readCredentials } from '../../../lib/agent/credentials.ts';
import { isLoopback } from '../../../lib/agent/loopback.ts';
import { noOpenssl } from '../../fakes/certificate.ts';
import { certificate, file, token } from './scratch.ts';

const day = 86_400_000;
const at = (days: number): Date => new Date(Date.now() + days * day);

function configured(changes: Partial<AgentConfiguration>): AgentConfiguration {
  return { ...defaultConfiguration(), ...changes };
}

function refusal(changes: Partial<AgentConfiguration>, message: RegExp, now = at(0)): void {
  assert.throws(() => readCredentials(configured(changes), now), { code: 'AGENT_CONFIGURATION', message });
}

const everywhere = { host: '0.0.0.0', port: 0 };

describe('credentials', () => {
  it('are none on loopback, where nothing is configured', () => {
    assert.deepEqual(readCredentials(configured({}), at(0)), { tls: null, allows: null });
  });

  it('are asked for beyond loopback, each by its name and with the mend', () => {
    refusal({ listen: everywhere }, /0\.0\.0\.0, which is not loopback, needs tls and tokenFile; name them/);
    refusal({ listen: everywhere, tokenFile: file('token', token) }, /needs tls; /);
  });

  it('may not be a token that others can read', () => {
    for (const mode of [0o640, 0o604, 0o620]) {
      const tokenFile = file('token', token);
      chmodSync(tokenFile, mode);
      refusal({ tokenFile }, /is open to others than its owner; .* chmod 600 /);
    }
  });

  it('may not be a token that is short, empty or in two', () => {
    for (const text of ['', 'short', `${token} ${token}`]) refusal({ tokenFile: file('token', text) }, /openssl rand/);
    refusal({ tokenFile: '/nonexistent/token' }, /can not be read/);
  });
});

describe('a certificate', { skip: noOpenssl }, () => {
  const tls = noOpenssl ? { certificateFile: '', keyFile: '' } : certificate();

  it('is taken while it is valid', () => {
    assert.ok(readCredentials(configured({ tls }), at(0)).tls);
  });

  it('is refused with the date when it has expired, or is not valid yet', () => {
    refusal({ tls }, /expired at \d{4}-\d\d-\d\dT.*; renew it/, at(2));
    refusal({ tls }, /is not valid before \d{4}-\d\d-\d\dT/, at(-2));
  });

  it('is refused with the key of another, and with a key that others can read', () => {
    refusal({ tls: { ...tls, keyFile: certificate().keyFile } }, /is not that of the certificate/);
    const open = certificate();
    chmodSync(open.keyFile, 0o644);
    refusal({ tls: open }, /the key file .* is open to others/);
  });

  it('is refused where it is none', () => {
    refusal(
      { tls: { ...tls, certificateFile: file('cert.pem', 'nothing') } },
      /holds no usable certificate in PEM form/,
    );
  });
});

const headers: readonly (readonly [string | undefined, boolean])[] = [
  [`Bearer ${token}`, true],
  [`bearer  ${token}`, true],
  [undefined, false],
  ['', false],
  ['Bearer ', false],
  [`Bearer ${token}x`, false],
  [`Bearer ${token.slice(1)}`, false],
  [`Bearer ${token.toUpperCase()}`, false],
  [`Basic ${token}`, false],
  [token, false],
];

describe('the check of a token', () => {
  for (const [header, allowed] of headers) {
    it(`${allowed ? 'lets pass' : 'refuses'} ${JSON.stringify(header)}`, () => {
      assert.equal(tokenCheck(token)(header), allowed);
    });
  }
});

describe('loopback', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.1', '::1', '[::1]']) {
    it(`is ${host}`, () => assert.ok(isLoopback(host)));
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example.org', '127.0.0.1.example.org', '']) {
    it(`is not ${JSON.stringify(host)}`, () => assert.ok(!isLoopback(host)));
  }
});
