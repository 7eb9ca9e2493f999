/** Where Redis is, and what may be told of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutPassword } from '../../../lib/cli/load-hosts-options.ts';
import { redisAddress } from '../../../lib/load-hosts/redis-address.ts';

describe('the address of Redis', () => {
  const cases: readonly (readonly [string, string, object])[] = [
    ['redis://10.0.0.5', 'redis://10.0.0.5:6379', { host: '10.0.0.5', port: 6379, db: 0 }],
    ['redis://u:p%20w@h:7000/2', 'redis://h:7000', { username: 'u', password: 'p w', host: 'h', port: 7000, db: 2 }],
    ['redis://[::1]:1', 'redis://[::1]:1', { host: '::1', port: 1, db: 0 }],
    ['unix://:pw@x/run/redis.sock', 'unix:///run/redis.sock', { password: 'pw', path: '/run/redis.sock' }],
    ['rediss://h', 'rediss://h:6379', { host: 'h', port: 6379, db: 0, tls: { servername: 'h' } }],
  ];
  for (const [url, text, options] of cases) {
    it(`is read from ${url} and told as ${text}`, () => {
      assert.deepEqual(redisAddress(url, null), { text, options });
    });
  }

  it('takes authorities for TLS alone', () => {
    assert.deepEqual(redisAddress('rediss://h', 'PEM').options.tls, { servername: 'h', ca: 'PEM' });
    assert.throws(() => redisAddress('redis://h', 'PEM'), { code: 'USAGE' });
  });

  for (const url of ['secret', 'http://:secret@h', 'redis://:secret@h/x', 'unix://:secret@x/', 'redis://:secret%@h']) {
    it(`is refused where it is ${url}, without a word of its password`, () => {
      assert.throws(
        () => redisAddress(url, null),
        (error: Error & { code?: string }) => error.code === 'USAGE' && !error.message.includes('secret'),
      );
    });
  }

  it('has no password in a command line that is kept', () => {
    const words = ['study', '--redis', 'rediss://user:pw@h:1/2', '--redis=redis://:pw@h', '--out', 'a@b'];
    assert.deepEqual(withoutPassword(words), [
      'study',
      '--redis',
      'rediss://***@h:1/2',
      '--redis=redis://***@h',
      '--out',
      'a@b',
    ]);
  });
});
