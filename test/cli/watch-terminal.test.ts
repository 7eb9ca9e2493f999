/** The built mpsbench watch under a pseudo terminal: its keys, its sizes, and a terminal that is left as it was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { exitStatus } from '../../lib/core/errors.ts';
import { fakeControl, fakeDriver } from './fake-host.ts';
import { cursorHidden, cursorShown, onTerminal, terminalMissing } from './on-terminal.ts';

const alternate = '\x1b[?1049h';
const primary = '\x1b[?1049l';

const scenario = [
  'gpu',
  'memory 81559 480 1107',
  'process 4194301 516 cm - - /usr/bin/python3',
  'process 4194302 66 c - - nvidia-cuda-mps-server',
  'process 4194303 400 c - - tritonserver',
];

const host = (lines: readonly string[] = scenario): NodeJS.ProcessEnv => ({ ...fakeDriver(lines), ...fakeControl() });

/** What was written once the view was gone; it must have given the terminal back. */
function afterView(text: string): string {
  const end = text.lastIndexOf(primary);
  assert.ok(end > text.lastIndexOf(alternate), 'the view still has the screen');
  assert.ok(text.lastIndexOf(cursorShown) > text.lastIndexOf(cursorHidden), 'the cursor is hidden in the end');
  return text.slice(end + primary.length);
}

describe('mpsbench watch on a terminal', { skip: terminalMissing }, () => {
  it('draws the host, leaves on q with exit status 0 and puts the terminal back as it was', async () => {
    const { text, status } = await onTerminal(['watch', '--interval', '50ms'], {
      variables: host(),
      around: (command) => `${command}; echo STATUS $?; stty -a`,
      steps: [[/tritonserver/, 'q']],
    });
    assert.equal(status, 0);
    assert.match(text, /mpsbench watch/);
    assert.match(text, /q quit/);
    const rest = afterView(text);
    assert.match(rest, /STATUS 0/);
    for (const mode of ['icanon', 'echo', 'isig']) assert.match(rest, new RegExp(`[ \\n]${mode}\\b`));
  });

  it('sorts, filters, pauses and explains its keys', async () => {
    const { text, status } = await onTerminal(['watch', '--interval', '50ms', '--no-color'], {
      variables: host(),
      steps: [
        [/by attachment/, 'p'],
        [/by pid/, '/trit'],
        [/filter: trit_/, '\r'],
        [/q quit/, ' '],
        [/PAUSED/, '?'],
        [/mpsbench watch: keys/, 'x'],
        [/PAUSED/, '\x1b'],
        [/4194301/, 'q'],
      ],
    });
    assert.equal(status, exitStatus.done);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    assert.doesNotMatch(text, /\x1b\[[\d;]*m/);
    afterView(text);
  });

  it('draws anew in the new size when the terminal changes', async () => {
    const { text } = await onTerminal(['watch', '--interval', '50ms'], {
      variables: host(),
      steps: [
        [/q quit/, ({ device }) => void spawnSync('stty', ['-F', device, 'cols', '20', 'rows', '5'])],
        [/on MPS/, ({ device }) => void spawnSync('stty', ['-F', device, 'cols', '120', 'rows', '40'])],
        [/q quit/, 'q'],
      ],
    });
    afterView(text);
  });

  for (const [what, act] of [
    ['Ctrl-C', '\x03'],
    ['SIGTERM', ({ pid }: { readonly pid: number }) => void process.kill(pid, 'SIGTERM')],
  ] as const) {
    it(`gives the terminal back on ${what}, with exit status 130`, async () => {
      const steps = [[/q quit/, act]] as const;
      const { text, status } = await onTerminal(['watch'], { variables: host(), steps });
      assert.equal(status, exitStatus.interrupted);
      assert.match(afterView(text), /interrupted/);
    });
  }

  it('gives the terminal back on Ctrl-Z, and takes it again when it goes on', async () => {
    const { text, status } = await onTerminal(['watch', '--interval', '50ms'], {
      variables: host(),
      around: (command) => `set -m; ${command}; echo STOPPED; stty -a; fg`,
      steps: [
        [/q quit/, '\x1a'],
        [/STOPPED[\s\S]*q quit/, 'q'],
      ],
    });
    assert.equal(status, exitStatus.done);
    const [before = '', after = ''] = text.split('STOPPED');
    afterView(before);
    assert.match(after.slice(0, after.indexOf(alternate)), /[ \n]icanon\b/);
    afterView(after);
  });

  it('gives the terminal back when the driver no longer answers, and says so', async () => {
    const variables = host();
    const { text, status } = await onTerminal(['watch', '--interval', '50ms'], {
      variables,
      steps: [
        [
          /q quit/,
          () => {
            const hung = ['hang nvmlDeviceGetUtilizationRates 60000', ...scenario];
            writeFileSync(variables.FAKE_NVML_SCENARIO ?? '', `${hung.join('\n')}\n`);
          },
        ],
      ],
    });
    assert.equal(status, exitStatus.failed);
    assert.match(afterView(text), /mpsbench: NVML_TIMEOUT: /);
  });
});
