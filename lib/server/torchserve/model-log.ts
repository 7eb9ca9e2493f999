/** What TorchServe's workers have written about their end: over HTTP it says only that they could not be started. */

/** "2026-11-22T15:54:23,405 [INFO] W-19005-m_1.0-stdout - RuntimeError: no weights". */
const errorLine = / - ((?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt)\b(?:: .*)?)$/;
/** What the worker program raises over the error that it was told: it repeats a status and no reason. */
const wrapper = /^RuntimeError: \d{3} - /;

/** The last exception that a worker told; null if there is none. */
export function lastWorkerError(log: string): string | null {
  const errors = log.split('\n').flatMap((line) => errorLine.exec(line)?.[1] ?? []);
  return errors.filter((error) => !wrapper.test(error)).at(-1) ?? null;
}

/** Whether a worker had no room left on the device. */
export function ranOutOfMemory(log: string): boolean {
  return /CUDA out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation/.test(log);
}
