/** What ended a trial, as its record says it: lack of memory in the words of every server, and what is none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, MpsbenchError } from '../../../lib/core/errors.ts';
import type { Reason } from '../../../lib/records/trial.ts';
import { failureReason } from '../../../lib/study/failure-reason.ts';

const cases: readonly (readonly [ErrorCode, string, Reason['code']])[] = [
  ['SERVER_SCALE_FAILED', 'CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 14.75 GiB', 'out-of-memory'],
  ['SERVER_START_FAILED', 'torch.cuda.OutOfMemoryError: no room', 'out-of-memory'],
  ['SERVER_START_FAILED', 'torch.OutOfMemoryError: HIP or CUDA', 'out-of-memory'],
  ['SERVER_START_FAILED', 'cuCtxCreate_v4: CUDA_ERROR_OUT_OF_MEMORY (2)', 'out-of-memory'],
  ['SERVER_START_FAILED', 'RuntimeError: CUDA error: out of memory', 'out-of-memory'],
  ['SERVER_START_FAILED', 'RuntimeError: CUDA driver error: out of memory', 'out-of-memory'],
  ['SERVER_START_FAILED', 'cudaMalloc(&p, n) failed: out of memory', 'out-of-memory'],
  ['SERVER_SCALE_FAILED', 'cudaErrorMemoryAllocation', 'out-of-memory'],
  ['SERVER_CHECK_FAILED', 'CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate', 'out-of-memory'],
  ['SERVER_START_FAILED', 'the MPS server has insufficient device memory for another client', 'out-of-memory'],
  ['SERVER_START_FAILED', 'ValueError: No available memory for the cache blocks.', 'out-of-memory'],
  ['SERVER_START_FAILED', 'Free memory is less than desired GPU memory utilization (0.9)', 'out-of-memory'],
  ['WORKER_DIED', 'a worker of TorchServe died (pid 7): OutOfMemoryError: CUDA out of memory', 'out-of-memory'],
  ['SERVER_START_FAILED', 'java.lang.OutOfMemoryError: Java heap space', 'server-failed'],
  ['SERVER_START_FAILED', 'CUDA is not there; the page cache went out of memory', 'server-failed'],
  ['SERVER_SCALE_FAILED', 'CUDA_ERROR_MPS_MAX_CLIENTS_REACHED (808)', 'client-limit'],
  ['SERVER_SCALE_FAILED', 'was asked for 2 ready workers and has 1', 'server-failed'],
  ['WORKER_DIED', 'pid 7: ended by SIGKILL', 'worker-died'],
  ['MPS_NOT_READY', 'the daemon does not answer', 'mps-failed'],
];

describe('failureReason', () => {
  for (const [code, message, reason] of cases) {
    it(`calls ${code} "${message}" ${reason}`, () => {
      const found = failureReason(new MpsbenchError(code, message));
      assert.equal(found.code, reason);
      assert.equal(found.message, `${code}: ${message}`);
      if (reason === 'out-of-memory') assert.match(found.advice, /fewer workers, a smaller batch/);
    });
  }
});
