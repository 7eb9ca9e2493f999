/** From the error that ended a trial to the typed reason in its record. */
import type { ErrorCode, MpsbenchError } from '../core/errors.ts';
import type { Reason } from '../records/trial.ts';

/** What `await using` throws when body and cleanup both fail hides the body's error in `suppressed`. */
export function firstError(thrown: unknown): unknown {
  return thrown instanceof Error && 'suppressed' in thrown ? firstError(thrown.suppressed) : thrown;
}

const reasonOfCode: Partial<Record<ErrorCode, Reason['code']>> = {
  SERVER_NOT_READY: 'server-not-ready',
  SERVER_START_FAILED: 'server-failed',
  SERVER_SCALE_FAILED: 'server-failed',
  PORT_IN_USE: 'server-failed',
  SERVER_CHECK_FAILED: 'check-failed',
  WORKER_DIED: 'worker-died',
  LOAD_FAILED: 'load-failed',
  LINK_BROKEN: 'link-broken',
  REDIS_UNREACHABLE: 'load-failed',
  LOAD_HOSTS_BUSY: 'load-failed',
  LOAD_HOSTS_MISSING: 'load-failed',
  LOAD_HOST_LOST: 'load-failed',
};

/**
 * How CUDA, its libraries and the frameworks on them say that the device is full. Java's heap is not the device's: it
 * has a size of its own.
 */
const outOfMemory = new RegExp(
  [
    'OUT_OF_MEMORY',
    'cuda\\w*[^;|]{0,40}out of memory',
    '(?<!java\\.lang\\.)OutOfMemoryError',
    'cudaErrorMemoryAllocation',
    '(?:CUBLAS|CUDNN|CUSOLVER|CUSPARSE)_STATUS_ALLOC_FAILED',
    'insufficient (?:device|GPU) memory',
    'No available memory for the cache blocks',
    'less than desired GPU memory utilization',
  ].join('|'),
  'i',
);

/** The reason that a trial's record gives for an error that ended it. */
export function failureReason(error: MpsbenchError): Reason {
  const text = error.message;
  const limit = /\b808\b|MPS_MAX_CLIENTS/.test(text);
  const memory = outOfMemory.test(text);
  const known = reasonOfCode[error.code] ?? (error.code.startsWith('MPS_') ? 'mps-failed' : 'server-failed');
  return {
    code: limit ? 'client-limit' : memory ? 'out-of-memory' : known,
    message: `${error.code}: ${text}`,
    advice: limit
      ? 'plan fewer workers: the limit counts client contexts per device'
      : memory
        ? 'plan fewer workers, a smaller batch or a smaller model: it did not fit'
        : 'see the logs directory of the study',
  };
}
