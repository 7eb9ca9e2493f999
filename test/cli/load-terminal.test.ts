/** The built mpsbench load under a pseudo terminal: the live view is drawn, and the terminal is left as it was. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exitStatus } from '../../lib/core/errors.ts';
import { fakeServer, type Script } from '../fakes/fake-server.ts';
import { cursorHidden, cursorShown, onTerminal, terminalMissing } from './on-terminal.ts';

/** What the view left behind must be gone: the summary begins where the view began. */
function afterView(text: string): string {
  const end = text.lastIndexOf(cursorShown);
  assert.ok(end > text.lastIndexOf(cursorHidden), 'the cursor is hidden in the end');
  assert.ok(text.slice(0, end).endsWith('\x1b[J'), JSON.stringify(text.slice(-400)));
  return text.slice(end + cursorShown.length);
}

const slow: Script = () => ({ delayMs: 2 });

describe('mpsbench load on a terminal', { skip: terminalMissing }, () => {
  it('draws the view, takes it away, gives the cursor back and prints the summary in one screen', async () => {
    await using server = await fakeServer(slow);
    const { text, status } = await onTerminal(['load', server.url, '-c', '2', '-d', '1s']);
    assert.equal(status, exitStatus.done);
    assert.ok(text.includes(cursorHidden));
    assert.match(text, /measuring/);
    const lines = afterView(text).trimEnd().split(/\r?\n/);
    assert.match(lines[0] ?? '', /^GET http:/);
    assert.ok(lines.length < 24, lines.join('\n'));
    assert.ok(lines.some((line) => /^throughput +[\d,.]+ \/s/.test(line)));
    assert.ok(lines.some((line) => /^response time +\d/.test(line)));
  });

  it('gives the cursor back on Ctrl-C, and prints what was seen until then', async () => {
    await using server = await fakeServer(slow);
    let pressed = false;
    const { text, status } = await onTerminal(['load', server.url, '-c', '2', '-d', '60s', '--no-color'], {
      onText: (seen, child) => {
        if (pressed || !/\d ok/.test(seen) || !seen.includes('measuring')) return;
        pressed = true;
        child.stdin?.write('\x03');
      },
    });
    assert.equal(status, exitStatus.interrupted);
    const rest = afterView(text);
    assert.match(rest, /interrupted: stopping what was started/);
    assert.match(rest, /^interrupted +/m);
    assert.match(rest, /^requests +[\d,]+ ok, 0 failed/m);
    assert.match(rest, /^response time +p50 /m);
  });

  it('gives the cursor back on Ctrl-Z, and draws again when it goes on', async () => {
    await using server = await fakeServer(slow);
    const { text } = await onTerminal(['load', server.url, '-c', '2', '-d', '60s', '--no-color'], {
      around: (command) => `set -m; ${command}; echo STOPPED; fg`,
      steps: [
        [/measuring/, '\x1a'],
        [/STOPPED[\s\S]*measuring/, '\x03'],
      ],
    });
    const upToStop = text.slice(0, text.indexOf('STOPPED'));
    assert.ok(upToStop.lastIndexOf(cursorShown) > upToStop.lastIndexOf(cursorHidden), JSON.stringify(upToStop));
    assert.match(afterView(text), /interrupted: stopping what was started/);
  });

  it('gives the cursor back when the run fails', async () => {
    const server = await fakeServer();
    await server.close();
    const { text, status } = await onTerminal(['load', server.url, '-d', '5s']);
    assert.equal(status, exitStatus.failed);
    assert.match(afterView(text), /^mpsbench: LOAD_FAILED: /);
  });

  for (const [what, args, variables] of [
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['--no-color', ['--no-color'], {}],
  ] as const) {
    it(`has no colours with ${what}`, async () => {
      await using server = await fakeServer(slow);
      const { text } = await onTerminal(['load', server.url, '-n', '300', ...args], { variables });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
      assert.doesNotMatch(text, /\x1b\[[\d;]*m/);
      assert.match(text, /GET http:/);
    });
  }

  it('has colours otherwise', async () => {
    await using server = await fakeServer(slow);
    const { text } = await onTerminal(['load', server.url, '-n', '300']);
    assert.ok(text.includes('\x1b[1m'));
  });

  it('draws nothing with --quiet', async () => {
    await using server = await fakeServer(slow);
    const { text, status } = await onTerminal(['load', server.url, '-n', '300', '--quiet', '--no-color']);
    assert.equal(status, exitStatus.done);
    assert.ok(!text.includes('\x1b'), text);
    assert.match(text, /^GET http:/);
  });
});
