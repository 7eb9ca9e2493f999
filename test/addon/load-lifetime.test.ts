/** A load run survives whatever its process does to it: nothing hangs, crashes or is left behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { deadline } from '../../lib/core/clock.ts';
import { codeOf } from '../../lib/core/errors.ts';
import { seconds } from '../../lib/core/units.ts';
import { type LoadRunOptions, loadAddon } from '../../lib/native/addon.ts';
import { type FakeServer, fakeServer } from '../fakes/fake-server.ts';

const child = fileURLToPath(new URL('load-lifetime-child.ts', import.meta.url));
const port = (server: FakeServer): string => new URL(server.url).port;

/** On process.exit() and on an exception Node leaves its own memory to the system, which the leak check of AddressSanitizer reports. */
function withoutLeaks(part: string): NodeJS.ProcessEnv {
  const sanitized = process.env.MPSBENCH_SANITIZER !== undefined;
  return sanitized && ['exit-running', 'throw-running', 'collect-garbage'].includes(part)
    ? { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` }
    : {};
}

describe('a load run', () => {
  let server: FakeServer;
  before(async () => {
    server = await fakeServer();
  });
  after(() => server.close());

  const parts: readonly [string, string, number | string, string[]][] = [
    ['whose process exits', 'exit-running', 0, ['ok']],
    ['whose process ends with an exception', 'throw-running', 1, ['ok']],
    ['whose process is terminated', 'kill-running', 'SIGTERM', ['ok']],
    ['that is closed at once and again', 'close-at-once', 0, ['ok']],
    ['that is stopped and then read', 'stop-and-take', 0, ['ok']],
    ['that is used after its end', 'use-after-close', 0, ['LOAD_CLOSED', 'LOAD_CLOSED']],
    ['that nobody holds any more', 'collect-garbage', 0, ['ok']],
  ];
  for (const [name, part, ending, said] of parts) {
    it(`${name} ends in order`, async () => {
      const options = ['--expose-gc', '--import', 'tsx', child, part, port(server)];
      const env = { ...process.env, ...withoutLeaks(part) };
      const process_ = spawn(process.execPath, options, {
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
        signal: deadline(seconds(60)),
      });
      const out: string[] = [];
      process_.stdout.setEncoding('utf8').on('data', (text: string) => void out.push(text));
      const [status, signal] = await once(process_, 'close');
      assert.deepEqual({ ending: signal ?? status, said: out.join('').trim().split('\n') }, { ending, said });
    });
  }

  for (const part of ['exit-running', 'stay-running', 'stop-and-take']) {
    it(`of a worker thread that plays ${part} goes with it`, async () => {
      const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(child)}); });`;
      const worker = new Worker(code, { eval: true, workerData: { part, port: port(server) } });
      const [said] = await once(worker, 'message', { signal: deadline(seconds(60)) });
      assert.equal(said, 'ok');
      await worker.terminate();
    });
  }
});

describe('startLoad', () => {
  const sound: LoadRunOptions = {
    addresses: ['127.0.0.1'],
    port: 1,
    heads: [new Uint8Array(1)],
    bodies: [new Uint8Array(0)],
    fields: new Float64Array(0),
    templateStream: 0n,
    payloadStream: 0n,
    head: false,
    closeEach: false,
    okStatuses: [200],
    connections: 1,
    threads: 1,
    cpus: null,
    originNs: 0n,
    scheduleNs: null,
    measurementStartNs: 0,
    deadlineNs: 0,
    requests: null,
    timeoutNs: 1,
    onDone: () => {},
  };
  const bad: readonly [string, Record<string, unknown>][] = [
    ['a host name', { addresses: ['localhost'] }],
    ['no address', { addresses: [] }],
    ['a port beyond the last', { port: 65536 }],
    ['more heads than bodies', { heads: [new Uint8Array(1), new Uint8Array(1)] }],
    ['a body that is text', { bodies: ['x'] }],
    ['a status that is none', { okStatuses: [1000] }],
    ['more threads than connections', { threads: 2 }],
    ['no CPU to run on', { cpus: [] }],
    ['a CPU beyond the last', { cpus: [1024] }],
    ['a schedule that goes back', { scheduleNs: Float64Array.of(2, 1) }],
    ['a schedule with no number', { scheduleNs: Float64Array.of(Number.NaN) }],
    ['a negative time', { measurementStartNs: -1 }],
    ['a number where a boolean belongs', { head: 1 }],
    ['no limit of time', { timeoutNs: null }],
    ['no function to call', { onDone: null }],
  ];
  for (const [name, change] of bad) {
    it(`refuses ${name}`, () => {
      const start = (): unknown => loadAddon().startLoad({ ...sound, ...change });
      assert.throws(start, (thrown) => codeOf(thrown) === 'ERR_INVALID_ARG_TYPE');
    });
  }

  it('refuses to start without its options', () => {
    const start = loadAddon().startLoad as unknown as () => void;
    assert.throws(start, (thrown) => codeOf(thrown) === 'ERR_INVALID_ARG_TYPE');
  });
});
