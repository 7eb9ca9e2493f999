/** Which servers a load worker may send to. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkPattern, refusedTarget } from '../../../lib/load-hosts/allowed-targets.ts';
import { directTransport } from '../../../lib/records/transport.ts';

function refused(url: string, patterns: readonly string[], rest: { endpoints?: string[]; proxyUrl?: string } = {}) {
  const transport = { ...directTransport, proxyUrl: rest.proxyUrl ?? null };
  return refusedTarget({ url, transport, ...(rest.endpoints && { endpoints: rest.endpoints }) }, patterns);
}

describe('the targets of a load worker', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['http://gpu-1:8080/a?b', 'http://gpu-*:8080', true],
    ['http://GPU-1:8080/', 'http://gpu-*:8080', true],
    ['http://gpu-1:8081/', 'http://gpu-*:8080', false],
    ['https://gpu-1:8080/', 'http://gpu-*:8080', false],
    ['http://evil.example/gpu-1:8080', 'http://gpu-*:8080', false],
    ['http://gpu-1.evil.example:8080/', 'http://gpu-1:8080', false],
    ['http://gpuXone:80/', 'http://gpu.one', false],
    ['https://a.svc/', 'https://*.svc:443', true],
  ];
  for (const [url, pattern, allowed] of cases) {
    it(`${allowed ? 'cover' : 'do not cover'} ${url} by ${pattern}`, () => {
      assert.equal(refused(url, [pattern]), allowed ? null : new URL(url).origin);
    });
  }

  it('are any without a pattern', () => {
    assert.equal(refused('http://any:1/', []), null);
  });

  it('are every endpoint and the proxy, not the first alone', () => {
    const endpoints = ['http://gpu-1:80/', 'http://other:80/'];
    assert.equal(refused('http://gpu-1:80/', ['http://gpu-*'], { endpoints }), 'http://other');
    assert.equal(refused('http://gpu-1/', ['http://gpu-*'], { proxyUrl: 'http://proxy:3128' }), 'http://proxy:3128');
  });

  it('are told by scheme, host and port', () => {
    for (const pattern of ['gpu-1', 'ftp://gpu-1', 'http://gpu-1/path', 'http://user@gpu-1']) {
      assert.throws(() => checkPattern(pattern), { code: 'USAGE' });
    }
    checkPattern('http://gpu-*:8080');
  });
});
