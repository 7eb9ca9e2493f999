/**
 * Program of one worker: one model copy with its own context, one batch at a time. It ends when the front process
 * says so or is gone, always after the batch in hand and after closing its context: a client of MPS that is killed in
 * the middle of its work may take the others with it.
 */
import { constants, setPriority } from 'node:os';
import process from 'node:process';
import { isInterrupted, messageOf } from '../../core/errors.ts';
import { type BatchRunner, openRunner } from './batch-runner.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';
import type { Workload } from './workload.ts';

const frontGone = new AbortController();
let runner: BatchRunner | null = null;
let work: Promise<void> = Promise.resolve();

function send(message: FromWorker, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else sent?.();
}

/** Without the channel nothing keeps the process alive. */
function end(): void {
  runner?.close();
  runner = null;
  if (process.connected) process.disconnect();
}

async function handle(message: ToWorker): Promise<void> {
  if (message.kind === 'stop') return end();
  if (message.kind === 'load') {
    yieldToInstrument(message.workload);
    runner = openRunner(message.workload, message.maxBatchSize);
    return send({ kind: 'ready', facts: { ...runner.facts } });
  }
  if (runner === null) return;
  send({ kind: 'answers', answers: await runner.run(message.seeds, frontGone.signal) });
}

/**
 * A worker that computes on the CPU takes whole cores. Front end and load generator go first, or on a small host their
 * waiting for a core would be measured as the server's latency.
 */
function yieldToInstrument(workload: Workload): void {
  if (workload.kind === 'encoder' && workload.backend === 'cpu') setPriority(constants.priority.PRIORITY_LOW);
}

/** After an error of the GPU a context is of no use any more: the worker tells why and makes room for a new one. */
function fail(thrown: unknown): void {
  process.exitCode = 1;
  if (isInterrupted(thrown)) end();
  else send({ kind: 'failed', message: messageOf(thrown) }, end);
}

process.on('message', (message: ToWorker) => {
  work = work.then(() => handle(message)).catch(fail);
});
process.on('disconnect', () => {
  frontGone.abort();
  void work.then(end);
});
// A Ctrl-C reaches the whole process group; when a worker ends is for the front process to say.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
