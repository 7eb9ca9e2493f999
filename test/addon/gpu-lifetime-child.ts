/** What a process or worker thread does in gpu-lifetime.test.ts; its first argument says which part it plays. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../lib/core/clock.ts';
import { codeOf } from '../../lib/core/errors.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { openGpu } from '../../lib/gpu/session.ts';

const part = isMainThread ? process.argv[2] : workerData.part;
const nvmlPath = isMainThread ? process.argv[3] : workerData.nvmlPath;

function sampling() {
  const session = openGpu({ nvmlPath });
  const options = { periodNs: milliseconds(5), origin: systemClock.origin(), maxDurationNs: seconds(60), devices: [0] };
  return { session, running: session.sample(options) };
}

/** Says what it came to: "ok", or the code of what was thrown. */
function say(call: () => unknown): void {
  let outcome = 'ok';
  try {
    call();
  } catch (thrown) {
    outcome = codeOf(thrown) ?? String(thrown);
  }
  if (isMainThread) process.stdout.write(`${outcome}\n`);
  parentPort?.postMessage(outcome);
}

const parts: Record<string, () => void> = {
  /** Ends while the sampling runs, with nothing closed. */
  'exit-sampling': () => say(sampling),
  'exit-at-once': () => {
    say(sampling);
    process.exit(0);
  },
  'throw-sampling': () => {
    say(sampling);
    throw new Error('thrown on purpose');
  },
  'kill-sampling': () => {
    say(sampling);
    process.kill(process.pid, 'SIGTERM');
  },
  'hang-open': () => say(() => openGpu({ nvmlPath })),
  'hang-snapshot': () => say(() => openGpu({ nvmlPath }).snapshot()),
  /** The first tick hangs; the environment ends without a stop. */
  'hang-sampling': () => say(sampling),
  /** Lives on until it is terminated. */
  'stay-sampling': () => {
    say(sampling);
    setInterval(() => {}, 1000);
  },
  'collect-garbage': () => {
    for (let round = 0; round < 20; round += 1) {
      sampling();
      globalThis.gc?.();
    }
    say(() => sampling().session.close());
  },
};

parts[part]?.();
