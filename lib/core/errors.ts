/** The one table of error codes with the exit status each leads to, and the error that carries them. */

export const exitStatus = { done: 0, failed: 1, usage: 2, invalid: 3, interrupted: 130 } as const;
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

const failed = exitStatus.failed;
const usage = exitStatus.usage;

/** Code -> exit status. A code is stable: scripts may test for it. */
export const errorCodes = {
  USAGE: usage,
  PLAN_INVALID: usage,
  PLAN_UNREADABLE: usage,
  BODY_UNREADABLE: usage,
  OUTPUT_NOT_WRITABLE: failed,
  OUTPUT_EXISTS: usage,
  STUDY_UNREADABLE: failed,
  STUDY_PLAN_CHANGED: usage,
  RECORD_SCHEMA_MISMATCH: failed,
  ADDON_MISSING: failed,
  NVML_LIBRARY_MISSING: failed,
  NVML_SYMBOL_MISSING: failed,
  NVML_DRIVER_NOT_LOADED: failed,
  NVML_VERSION_MISMATCH: failed,
  NVML_NO_PERMISSION: failed,
  NVML_CALL_FAILED: failed,
  NVML_TIMEOUT: failed,
  GPU_CLOSED: failed,
  THREAD_NOT_STARTED: failed,
  CUDA_LIBRARY_MISSING: failed,
  CUDA_CALL_FAILED: failed,
  ENCODER_CLOSED: failed,
  CONTEXT_PROBE_FAILED: failed,
  MPS_CONTROL_MISSING: failed,
  MPS_CONTROL_NOT_EXECUTABLE: failed,
  MPS_ALREADY_RUNNING: failed,
  MPS_NOT_READY: failed,
  MPS_DAEMON_DIED: failed,
  MPS_COMMAND_TIMEOUT: failed,
  MPS_UNKNOWN_OUTPUT: failed,
  MPS_REFUSED: failed,
  MPS_PIPE_PATH_TOO_LONG: failed,
  MPS_QUIT_FAILED: failed,
  SERVER_NOT_READY: failed,
  SERVER_START_FAILED: failed,
  SERVER_CHECK_FAILED: failed,
  SERVER_SCALE_FAILED: failed,
  SERVER_STOP_FAILED: failed,
  PORT_IN_USE: failed,
  WORKER_DIED: failed,
  LOAD_FAILED: failed,
  LOAD_CLOSED: failed,
  REDIS_UNREACHABLE: failed,
  LOAD_HOSTS_BUSY: failed,
  LOAD_HOSTS_MISSING: failed,
  LOAD_HOST_LOST: failed,
  OPEN_FILE_LIMIT: failed,
  AGENT_CONFIGURATION: usage,
  CPUS_NOT_SET: failed,
  ALREADY_RUNNING: failed,
  LINK_BROKEN: failed,
  AGENT_REFUSED: failed,
  AGENT_LOST: failed,
  LEASE_LOST: failed,
  NOT_SUPPORTED_HERE: failed,
  INTERRUPTED: exitStatus.interrupted,
} as const satisfies Record<string, ExitStatus>;

export type ErrorCode = keyof typeof errorCodes;

/**
 * A fault of the operator or of the environment. The message has three parts: what failed, on what, what to do.
 * A bug is never one of these; it is a failed assertion.
 */
export class MpsbenchError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'MpsbenchError';
    this.code = code;
  }

  get exitStatus(): ExitStatus {
    return errorCodes[this.code];
  }
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node or addon error ("ENOENT", "NVML_LIBRARY_MISSING"), if it has one. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** What an aborted operation throws, so that every layer ends the same way on Ctrl-C. */
export function interrupted(what: string): MpsbenchError {
  return new MpsbenchError('INTERRUPTED', `${what} was interrupted`);
}

export function isInterrupted(thrown: unknown): boolean {
  return codeOf(thrown) === 'INTERRUPTED' || (thrown instanceof Error && thrown.name === 'AbortError');
}
