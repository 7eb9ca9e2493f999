/** The agent's configuration file: its defaults, and what is said of a mistake. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { defaultConfiguration, parseConfiguration, readConfiguration } from '../../../lib/agent/configuration.ts';

describe("the agent's configuration", () => {
  it('is loopback, the usual port and no plan where nothing is written', () => {
    const expected = { listen: { host: '127.0.0.1', port: 9477 }, plans: {} };
    assert.deepEqual(defaultConfiguration(), expected);
    assert.deepEqual(parseConfiguration('# nothing', 'agent.yaml'), expected);
  });

  it('takes its paths from the folder that it lies in', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpsbench-agent-'));
    const file = join(folder, 'agent.yaml');
    const written = [
      'tokenFile: token',
      'tls: { certificateFile: tls/cert.pem, keyFile: /etc/key.pem }',
      'plans: { bert: plans/bert.yaml }',
      'studies: { directory: studies, leaseTimeout: 90s }',
    ];
    writeFileSync(file, `${written.join('\n')}\n`);
    try {
      assert.deepEqual(readConfiguration(file), {
        listen: { host: '127.0.0.1', port: 9477 },
        tls: { certificateFile: join(folder, 'tls/cert.pem'), keyFile: '/etc/key.pem' },
        tokenFile: join(folder, 'token'),
        plans: { bert: join(folder, 'plans/bert.yaml') },
        studies: { directory: join(folder, 'studies'), loadAddress: '127.0.0.1', leaseTimeout: 90e9 },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['an unknown key', 'tokenfile: x', /^agent\.yaml line 1: tokenfile: unknown key; did you mean 'tokenFile'\?; /],
  ['an unknown key inside', 'listen:\n  prot: 1', /line 2: listen\.prot: unknown key; did you mean 'port'\?; /],
  ['a port out of range', 'listen: { port: 70000 }', /line 1: listen\.port: .*65535/],
  ['a lease without a unit', 'studies: { directory: d, leaseTimeout: 60 }', /leaseTimeout: needs text with a unit/],
  ['a name of a plan that would be a path', 'plans: { ../x: y }', /plans\.\.\.\/x: /],
  ['tls without a key', 'tls: { certificateFile: c }', /tls(\.keyFile)?: /],
  ['a list', '- a', /agent\.yaml: a configuration is a map/],
  ['broken YAML', 'listen: {', /agent\.yaml line 1: .*mend the YAML there/],
];

describe("a mistake in the agent's configuration", () => {
  for (const [what, text, message] of mistakes) {
    it(`is told in one line with its place: ${what}`, () => {
      assert.throws(() => parseConfiguration(text, 'agent.yaml'), { code: 'AGENT_CONFIGURATION', message });
    });
  }

  it('is told of a file that is not there', () => {
    assert.throws(() => readConfiguration('/nonexistent/agent.yaml'), {
      code: 'AGENT_CONFIGURATION',
      message: /--config$/,
    });
  });
});
