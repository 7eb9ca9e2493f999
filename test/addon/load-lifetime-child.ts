/** What a process or worker thread does in load-lifetime.test.ts; its first argument says which part it plays. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type LoadBatch, type LoadRunOptions, loadAddon, type NativeLoadRun } from '../../lib/native/addon.ts';

const part = isMainThread ? process.argv[2] : workerData.part;
const port = Number(isMainThread ? process.argv[3] : workerData.port);
const started: NativeLoadRun[] = [];

/** Without an end of its own. */
function endless(onDone: () => void = () => {}): NativeLoadRun {
  const options: LoadRunOptions = {
    addresses: ['127.0.0.1'],
    port,
    heads: [Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    bodies: [new Uint8Array(0)],
    fields: new Float64Array(0),
    templateStream: 0n,
    payloadStream: 0n,
    head: false,
    closeEach: false,
    okStatuses: [200],
    connections: 4,
    threads: 2,
    cpus: null,
    originNs: process.hrtime.bigint(),
    scheduleNs: null,
    measurementStartNs: 0,
    deadlineNs: null,
    requests: null,
    timeoutNs: 5e9,
    onDone,
  };
  const run = loadAddon().startLoad(options);
  started.push(run);
  return run;
}

function say(text: string): void {
  if (isMainThread) process.stdout.write(`${text}\n`);
  parentPort?.postMessage(text);
}

const parts: Record<string, () => void | Promise<void>> = {
  'exit-running': () => {
    endless();
    say('ok');
    process.exit(0);
  },
  'throw-running': () => {
    endless();
    say('ok');
    throw new Error('thrown on purpose');
  },
  'kill-running': () => {
    endless();
    say('ok');
    process.kill(process.pid, 'SIGTERM');
  },
  /** Lives on until it is terminated. */
  'stay-running': () => {
    endless();
    say('ok');
    setInterval(() => {}, 1000);
  },
  'close-at-once': () => {
    for (let round = 0; round < 50; round++) {
      const run = endless();
      run.stop();
      run.close();
      run.close();
      run.stop();
    }
    say('ok');
  },
  'stop-and-take': async () => {
    const { count } = await new Promise<LoadBatch>((resolve) => {
      const run = endless(() => {
        resolve(run.take());
        run.health();
        run.close();
      });
      run.stop();
    });
    say(count >= 0 ? 'ok' : 'no rows');
  },
  'use-after-close': () => {
    const run = endless();
    run.close();
    for (const call of [() => run.take(), () => run.health()]) {
      try {
        call();
        say('nothing was thrown');
      } catch (thrown) {
        say((thrown as { code: string }).code);
      }
    }
  },
  'collect-garbage': () => {
    for (let round = 0; round < 20; round++) {
      endless();
      started.length = 0;
      globalThis.gc?.();
    }
    say('ok');
    process.exit(0);
  },
};

await parts[part]?.();
